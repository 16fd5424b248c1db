"""The client of the public archive over real HTTP: what is verified, bounded, retried and refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from backend.core.archive_file import ArchiveFile
from backend.core.windows import Window
from backend.errors import (
    ExchangeRefused,
    ExchangeUnavailable,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
)
from backend.exchanges.binance.archive import DAY, file_of
from backend.net.rest.archive_client import ATTEMPTS, LARGEST_CHECKSUM, LARGEST_FILE, ArchiveClient
from backend.net.rest.requester import open_session
from backend.telemetry.metrics import Metrics
from tests.archives import text_of, zipped
from tests.fakes import START, FakeClock, candle, minute, minutes
from tests.figures import counted

CANDLES = [candle(minute(number)) for number in range(1440)]
FILE = file_of("spot", "BTCUSDT", Window(START, START + DAY))
BODY = zipped({FILE.member: text_of(CANDLES, 1000)})

Reply = tuple[int, bytes]
Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Host:
    """A file host: `files` by path, each with its replies one after the other, the last one for good."""

    def __init__(self) -> None:
        self.files: dict[str, list[Reply]] = {}
        self.asked: list[str] = []
        self.put(BODY)

    def put(self, *bodies: bytes, checksum: str | None = None) -> None:
        """Publish the file, and a checksum that fits the last of `bodies`."""
        self.files[f"/{FILE.path}"] = [(200, body) for body in bodies]
        told = checksum or f"{sha256(bodies[-1]).hexdigest()}  {FILE.name}\n"
        self.files[f"/{FILE.path}.CHECKSUM"] = [(200, told.encode())]

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        replies = self.files.get(request.path, [(404, b"<Error/>")])
        status, body = replies.pop(0) if len(replies) > 1 else replies[0]
        return web.Response(status=status, body=body)


@asynccontextmanager
async def client_of(
    respond: Respond, silence: float = 5.0, metrics: Metrics | None = None
) -> AsyncIterator[ArchiveClient]:
    server = RawTestServer(respond)
    await server.start_server()
    try:
        async with open_session(5.0, "test") as session:
            url = str(server.make_url("")).rstrip("/")
            yield ArchiveClient(
                market="spot",
                base_url=url,
                session=session,
                clock=FakeClock(),
                silence=silence,
                metrics=metrics or Metrics(),
            )
    finally:
        await server.close()


async def fetched(host: Host, file: ArchiveFile = FILE) -> object:
    async with client_of(host.respond) as client:
        return await client.candles(file)


async def failure(host: Host) -> MarketDataError:
    with pytest.raises(MarketDataError) as caught:
        await fetched(host)
    return caught.value


async def test_a_file_is_downloaded_verified_and_read() -> None:
    host = Host()
    assert await fetched(host) == CANDLES
    assert host.asked == [f"/{FILE.path}.CHECKSUM", f"/{FILE.path}"]


@pytest.mark.parametrize("path", [f"/{FILE.path}", f"/{FILE.path}.CHECKSUM"])
async def test_a_file_that_is_not_there_is_none(path: str) -> None:
    host = Host()
    del host.files[path]
    assert await fetched(host) is None
    assert host.asked.count(path) == 1


async def test_a_download_that_was_damaged_on_its_way_is_repeated() -> None:
    host = Host()
    host.put(BODY[:-1], BODY)
    assert await fetched(host) == CANDLES


async def test_a_wrong_checksum_is_told_after_some_attempts() -> None:
    host = Host()
    host.put(BODY, checksum=f"{'0' * 64}  {FILE.name}")
    error = await failure(host)
    assert isinstance(error, MalformedAnswer)
    assert str(error).startswith(f"{FILE.name} does not have the checksum")
    assert host.asked.count(f"/{FILE.path}") == ATTEMPTS


@pytest.mark.parametrize("checksum", ["<html>", f"{'0' * 64}  other.zip", "x" * (LARGEST_CHECKSUM + 1)])
async def test_what_is_no_checksum_is_refused_before_the_download(checksum: str) -> None:
    host = Host()
    host.put(BODY, checksum=checksum)
    assert isinstance(await failure(host), MalformedAnswer)
    assert f"/{FILE.path}" not in host.asked


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY[:1000], "cannot be unzipped"),
        (zipped({"other.csv": text_of(CANDLES)}), "instead of"),
        (zipped({FILE.member: text_of(CANDLES) + b"x"}), f"{FILE.member}, line 1441: the line should have"),
        (zipped({FILE.member: text_of([*CANDLES, candle(minute(1440))])}), "line 1441: open_time"),
        (zipped({FILE.member: b""}), "no candle"),
    ],
)
async def test_a_bad_file_is_told_and_not_asked_for_again(body: bytes, said: str) -> None:
    host = Host()
    host.put(body)
    error = await failure(host)
    assert isinstance(error, MalformedAnswer)
    assert str(error).startswith(FILE.name)
    assert said in str(error)
    assert len(host.asked) == 2


async def test_a_download_is_bounded() -> None:
    host = Host()
    host.put(b"\0" * (LARGEST_FILE + 1))
    assert f"has over {LARGEST_FILE} bytes" in str(await failure(host))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, ExchangeUnavailable),
        (503, ExchangeUnavailable),
        (403, RateLimited),
        (429, RateLimited),
        (302, ExchangeRefused),
        (400, ExchangeRefused),
    ],
)
async def test_other_answers_are_named_for_what_to_do(status: int, kind: type[MarketDataError]) -> None:
    host = Host()
    host.files[f"/{FILE.path}"] = [(status, b"")]
    assert type(await failure(host)) is kind


async def test_a_host_that_comes_back_is_asked_again() -> None:
    host = Host()
    host.files[f"/{FILE.path}.CHECKSUM"].insert(0, (503, b""))
    assert await fetched(host) == CANDLES


async def test_a_host_that_says_nothing_is_given_up() -> None:
    hanging = asyncio.Event()

    async def hang(_request: web.BaseRequest) -> web.StreamResponse:
        await hanging.wait()
        return web.Response()

    async with client_of(hang, silence=0.05) as client:
        with pytest.raises(ExchangeUnavailable, match="in time"):
            await client.candles(FILE)
        hanging.set()


async def test_a_host_that_is_away_is_told() -> None:
    async with open_session(5.0, "test") as session:
        client = ArchiveClient(
            market="spot",
            base_url="http://127.0.0.1:9",
            session=session,
            clock=FakeClock(),
            silence=1.0,
            metrics=Metrics(),
        )
        with pytest.raises(ExchangeUnavailable, match="cannot be reached"):
            await client.candles(FILE)


async def test_files_are_those_of_the_market() -> None:
    async with open_session(5.0, "test") as session:
        client = ArchiveClient(
            market="perpetual",
            base_url="http://127.0.0.1:9",
            session=session,
            clock=FakeClock(),
            silence=1.0,
            metrics=Metrics(),
        )
        files = client.files("BTCUSDT", (minutes(0, 10 * 1440),), START + 60 * DAY)
    assert [file.path.split("/klines")[0] for file in files] == ["data/futures/um/daily"] * 10


async def test_downloads_are_counted_by_how_they_end() -> None:
    host, metrics = Host(), Metrics()
    async with client_of(host.respond, metrics=metrics) as client:
        await client.candles(FILE)
        host.files[f"/{FILE.path}"] = [(503, b"")]
        with pytest.raises(ExchangeUnavailable):
            await client.candles(FILE)
    told = {"exchange": "binance-archive", "market": "spot"}
    requests, figures = "exchange_requests_total", counted(metrics)
    assert figures.value(requests, **told, status="200", outcome="ok") == 2 + ATTEMPTS
    assert figures.value(requests, **told, status="503", outcome="exchange_unavailable") == ATTEMPTS
