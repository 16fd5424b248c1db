"""The simulated archive of Binance, against the documents and against the simulated API."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import aiohttp
import pytest

from tests.simulator import ArchiveFaults, Faults, Simulator, SimulatorClock
from tests.simulator.times import DAY, MINUTE, parse_instant

NOW = parse_instant("2025-03-20T12:00Z")
SPOT, PERPETUAL = "/data/spot", "/data/futures/um"
JANUARY = f"{SPOT}/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2025-01.zip"


def day_of(date: str, folder: str = SPOT, symbol: str = "BTCUSDT") -> str:
    return f"{folder}/daily/klines/{symbol}/1m/{symbol}-1m-{date}.zip"


def simulator_of(faults: ArchiveFaults | None = None, now: int = NOW) -> Simulator:
    return Simulator(clock=SimulatorClock(now, frozen=True), faults=Faults(archive=faults or ArchiveFaults()))


async def ask(simulator: Simulator, path: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(simulator.url + path) as response:
        return response.status, await response.read()


async def lines_of(simulator: Simulator, path: str) -> list[str]:
    status, body = await ask(simulator, path)
    assert status == 200
    with ZipFile(BytesIO(body)) as archive:
        (name,) = archive.namelist()
        assert name == path.rpartition("/")[2].replace(".zip", ".csv")
        return archive.read(name).decode().splitlines()


@pytest.mark.parametrize(("folder", "market"), [(SPOT, "spot"), (PERPETUAL, "perpetual")])
async def test_a_day_holds_what_the_api_has(folder: str, market: str) -> None:
    async with simulator_of() as simulator:
        lines = await lines_of(simulator, day_of("2024-06-30", folder))
        start = parse_instant("2024-06-30")
        history = simulator.history("BTCUSDT", start, start + DAY, market=market)
    rows = [line.split(",") for line in lines if not line.startswith("open_time")]
    assert len(lines) - len(rows) == (market == "perpetual")
    assert {(len(row), row[11]) for row in rows} == {(12, "0")}
    assert [int(row[6]) - int(row[0]) for row in rows] == [MINUTE - 1] * 1440
    assert [
        (int(row[0]), *map(float, row[1:6]), float(row[7]), int(row[8]), *map(float, row[9:11]))
        for row in rows
    ] == history


async def test_spot_files_have_microseconds_since_2025_and_perpetual_ones_never() -> None:
    async with simulator_of() as simulator:
        before = await lines_of(simulator, day_of("2024-12-31"))
        after = await lines_of(simulator, day_of("2025-01-01"))
        perpetual = await lines_of(simulator, day_of("2025-01-01", PERPETUAL))
    start = parse_instant("2025-01-01")
    assert before[-1].startswith(f"{start - MINUTE},")
    assert after[0].startswith(f"{start * 1000},")
    assert after[0].split(",")[6] == str((start + MINUTE) * 1000 - 1)
    assert perpetual[1].startswith(f"{start},")


async def test_a_month_holds_all_its_minutes_and_has_a_checksum() -> None:
    async with simulator_of() as simulator:
        lines = await lines_of(simulator, JANUARY)
        _, body = await ask(simulator, JANUARY)
        status, told = await ask(simulator, f"{JANUARY}.CHECKSUM")
    assert (len(lines), status) == (44_640, 200)
    assert told.decode().split() == [sha256(body).hexdigest(), "BTCUSDT-1m-2025-01.zip"]


async def test_a_month_begins_at_the_listing() -> None:
    async with simulator_of() as simulator:
        lines = await lines_of(simulator, f"{SPOT}/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2017-08.zip")
    assert lines[0].startswith(f"{parse_instant('2017-08-17T04:00Z')},")


@pytest.mark.parametrize(
    "path",
    [
        day_of("2025-02-29"),
        day_of("2025-03-20"),
        day_of("2025-02"),
        day_of("2017-08-16"),
        day_of("2025-01-01", symbol="NOSUCHUSDT"),
        JANUARY.replace("2025-01", "2025-03"),
        JANUARY.replace("2025-01", "2025-01-01"),
        JANUARY.replace("/1m/", "/1h/").replace("-1m-", "-1h-"),
        JANUARY.replace("spot", "option"),
        "/data/",
    ],
)
async def test_what_is_not_in_the_archive_answers_404(path: str) -> None:
    async with simulator_of() as simulator:
        status, body = await ask(simulator, path)
    assert status == 404
    assert b"NoSuchKey" in body


async def test_files_are_published_late() -> None:
    """The first Monday after February 2025 is 3 March."""
    february, yesterday = JANUARY.replace("2025-01", "2025-02"), day_of("2025-03-02")
    found = []
    for moment in ("2025-03-03T07:59Z", "2025-03-03T08:00Z"):
        async with simulator_of(now=parse_instant(moment)) as simulator:
            found.append([(await ask(simulator, path))[0] for path in (february, yesterday)])
    assert found == [[404, 404], [200, 200]]


async def test_faults_strike_the_files_that_are_named() -> None:
    day, other = day_of("2025-02-01"), day_of("2025-02-02")
    async with simulator_of(ArchiveFaults(absent=["02-01"])) as simulator:
        assert [(await ask(simulator, path))[0] for path in (day, f"{day}.CHECKSUM", other)] == [
            404,
            404,
            200,
        ]
    async with simulator_of(ArchiveFaults(failing=["02-01"])) as simulator:
        assert [(await ask(simulator, path))[0] for path in (day, other)] == [503, 200]
    async with simulator_of(ArchiveFaults(bad_row=["02-01"])) as simulator:
        assert (await lines_of(simulator, day))[720].split(",")[2] == "nan"
        assert "nan" not in "".join(await lines_of(simulator, other))


async def test_a_checksum_may_be_wrong() -> None:
    day = day_of("2025-02-01")
    async with simulator_of(ArchiveFaults(wrong_checksum=[""])) as simulator:
        _, body = await ask(simulator, day)
        _, told = await ask(simulator, f"{day}.CHECKSUM")
    assert told.decode().split()[0] != sha256(body).hexdigest()


async def test_a_corrupt_zip_has_a_checksum_that_fits() -> None:
    day = day_of("2025-02-01")
    async with simulator_of(ArchiveFaults(corrupt=[""])) as simulator:
        _, body = await ask(simulator, day)
        _, told = await ask(simulator, f"{day}.CHECKSUM")
    assert told.decode().split()[0] == sha256(body).hexdigest()
    with pytest.raises(BadZipFile):
        ZipFile(BytesIO(body))


async def test_files_may_lack_what_the_api_has() -> None:
    start = parse_instant("2025-02-01")
    async with simulator_of(ArchiveFaults(left_out=[(start, start + DAY // 2)])) as simulator:
        assert len(await lines_of(simulator, day_of("2025-02-01"))) == 720
        assert len(simulator.history("BTCUSDT", start, start + DAY)) == 1440


async def test_outages_are_in_the_files_too() -> None:
    start = parse_instant("2025-02-01")
    async with simulator_of() as simulator:
        simulator.faults.outages = [(start, start + 60 * MINUTE)]
        assert len(await lines_of(simulator, day_of("2025-02-01"))) == 1380
