"""The simulator as a program and its control routes, by which another process drives it."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.simulator import Forced, Simulator, SimulatorClock
from tests.simulator.__main__ import main, parser, simulator_of
from tests.simulator.asking import ask, klines, post
from tests.simulator.times import MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
ROOT = Path(__file__).parents[2]


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the simulator as a program; give the process and its URL."""
    command = [sys.executable, "-m", "tests.simulator", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("simulator listening at http://127.0.0.1:")
            yield process, line.split()[-1]
        finally:
            process.kill()


def simulator_with(*arguments: str) -> Simulator:
    return simulator_of(parser().parse_args(arguments))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with program("--port", "0") as (process, url):
        with urllib.request.urlopen(url + "/api/v3/ping", timeout=10) as response:
            assert response.read() == b"{}"
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


async def test_it_serves_sockets() -> None:
    with program("--port", "0") as (_, url):
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws") as socket:
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert await socket.receive_json() == {"result": [], "id": 1}


def test_now_sets_where_the_clock_starts_and_frozen_holds_it_there() -> None:
    ticking = simulator_with("--now", "2025-06-03T12:00Z")
    frozen = simulator_with("--now", "2025-06-03T12:00Z", "--frozen")
    assert NOON <= ticking.clock.now() < NOON + MINUTE
    assert not ticking.clock.frozen
    assert (frozen.clock.now(), frozen.clock.frozen) == (NOON, True)


def test_faults_are_set_by_flags() -> None:
    windows = ["--outage", "2025-06-01/2025-06-02", "--outage", "2025-06-03/2025-06-04"]
    rates = ["--error-rate", "0.1", "--reset-rate", "0.2", "--hang-rate", "0.3", "--garbage-rate", "0.4"]
    faults = simulator_with(
        *windows, *rates, "--page-cap", "800", "--latency", "0.5", "--failing", "2025-06-01/2025-06-02"
    ).faults
    assert (faults.error_rate, faults.reset_rate, faults.hang_rate, faults.garbage_rate) == (
        0.1,
        0.2,
        0.3,
        0.4,
    )
    assert (faults.page_cap, faults.latency) == (800, 0.5)
    assert len(faults.outages) == 2
    assert faults.failing == [(parse_instant("2025-06-01"), parse_instant("2025-06-02"))]


async def test_the_weight_limit_is_set_or_lifted_by_a_flag() -> None:
    limits = []
    for arguments in (["--weight-limit", "50"], [], ["--no-limit"]):
        async with simulator_with(*arguments) as simulator:
            info = (await ask(simulator, "/api/v3/exchangeInfo")).json
            limits.append(info["rateLimits"][0]["limit"])
    assert limits == [50, 6000, 1_000_000_000]


async def test_a_file_sets_the_market_and_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "candles.csv"
    path.write_text(f"open_time,open,high,low,close,volume\n{NOON},1,1,1,1,1\n")
    async with simulator_with("--csv", str(path), "--symbol", "ETHBTC", "--frozen") as simulator:
        assert simulator.clock.now() == NOON + MINUTE
        assert len(await klines(simulator, "ETHBTC")) == 1


def test_a_file_that_is_not_there_is_an_error_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--csv", "ETHBTC-1m-2024-06.csv"])
    assert stopped.value.code == 2
    assert "ETHBTC-1m-2024-06.csv" in capsys.readouterr().err


async def test_faults_are_read_and_changed_over_http() -> None:
    async with Simulator() as simulator:
        changes: dict[str, Any] = {
            "error_rate": 0.5,
            "page_cap": 800,
            "outages": ["2025-06-01T00:00Z/2025-06-02T00:00Z", [NOON, NOON + MINUTE]],
            "revisions": [{"symbol": "BTCUSDT", "open_time": NOON, "values": {"close": "1.5"}}],
            "forced": {"status": 429, "count": 3, "retry_after": 9},
        }
        reply = await post(simulator, "/_sim/faults", changes)
        shown = (await ask(simulator, "/_sim/faults")).json
        faults = simulator.faults
    assert reply.json == shown
    assert (shown["error_rate"], shown["page_cap"], shown["reset_rate"]) == (0.5, 800, 0)
    assert shown["outages"] == [[1748736000000, 1748822400000], [NOON, NOON + MINUTE]]
    assert faults.revisions == {("BTCUSDT", NOON): {"close": "1.5"}}
    assert faults.forced == Forced(429, 3, 9)


async def test_faults_of_the_archive_are_set_over_http() -> None:
    async with Simulator() as simulator:
        wrong = {"absent": ["2025-06"], "left_out": ["2025-06-01T00:00Z/2025-06-02T00:00Z"]}
        reply = await post(simulator, "/_sim/faults", {"archive": wrong})
        unknown = await post(simulator, "/_sim/faults", {"archive": {"unknown": 1}})
        faults = simulator.faults.archive
    assert (reply.json["archive"]["absent"], reply.json["archive"]["corrupt"]) == (["2025-06"], [])
    assert faults.left_out == [(1748736000000, 1748822400000)]
    assert unknown.status == 400


async def test_quirks_and_bodies_are_set_over_http() -> None:
    async with Simulator() as simulator:
        quirks = {"omit_empty": True, "bitget": {"start_ignored": True}}
        await post(
            simulator, "/_sim/faults", {"quirks": quirks, "forced": {"status": 400, "body": {"code": "1"}}}
        )
        shown = (await ask(simulator, "/_sim/faults")).json
        forced = await ask(simulator, "/api/v2/public/time")
    assert (shown["quirks"]["omit_empty"], shown["quirks"]["binance_perpetual_unread"]) == (True, False)
    assert (shown["quirks"]["bitget"]["start_ignored"], shown["quirks"]["bitget"]["each"]) == (True, 20)
    assert (forced.status, forced.json) == (400, {"code": "1"})


@pytest.mark.parametrize(
    "changes",
    [
        {"erorr_rate": 1},
        {"quirks": {"omit_everything": True}},
        {"quirks": {"bitget": {"start_forgotten": True}}},
        {"error_rate": 2},
        {"error_rate": 0.5, "latency": -1},
        {"page_cap": 0},
        {"outages": [[2, 1]]},
        {"forced": {"code": 429}},
        {"revisions": [{"symbol": "BTCUSDT", "open_time": 0, "values": {"colour": "red"}}]},
        [],
    ],
)
async def test_wrong_faults_are_refused_and_change_nothing(changes: object) -> None:
    async with Simulator() as simulator:
        before = (await ask(simulator, "/_sim/faults")).json
        reply = await post(simulator, "/_sim/faults", changes)
        after = (await ask(simulator, "/_sim/faults")).json
    assert reply.status == 400
    assert reply.json["error"].startswith("bad body for /_sim/faults: ")
    assert before == after


async def test_the_seed_is_set_over_http() -> None:
    async with Simulator() as simulator:
        await post(simulator, "/_sim/faults", {"seed": 7})
        first = simulator.faults.random.random()
        await post(simulator, "/_sim/faults", {"seed": 7})
        assert simulator.faults.random.random() == first


@pytest.mark.parametrize("now", ["2025-06-03T12:00Z", NOON])
async def test_the_clock_is_set_over_http(now: str | int) -> None:
    async with Simulator(clock=SimulatorClock(0, frozen=True)) as simulator:
        reply = await post(simulator, "/_sim/clock", {"now": now})
        assert simulator.clock.now() == NOON
    assert reply.json == {"now": NOON, "frozen": True}


async def test_the_clock_is_frozen_and_let_go_over_http() -> None:
    async with Simulator() as simulator:
        frozen = (await post(simulator, "/_sim/clock", {"frozen": True})).json
        running = (await post(simulator, "/_sim/clock", {"frozen": False})).json
        wrong = await post(simulator, "/_sim/clock", {"hour": 3})
    assert (frozen["frozen"], running["frozen"], wrong.status) == (True, False, 400)


async def test_requests_are_recorded_and_counted_without_the_control_routes() -> None:
    async with Simulator(clock=SimulatorClock(NOON, frozen=True)) as simulator:
        await ask(simulator, "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m"})
        await ask(simulator, "/api/v3/klines", {"symbol": "NOSUCHPAIR", "interval": "1m"})
        await ask(simulator, "/api/v3/ping")
        counts = (await ask(simulator, "/_sim/requests")).json
        record = simulator.requests[0]
    assert counts == {
        "total": 3,
        "weight": 5,
        "paths": {"/api/v3/klines": 2, "/api/v3/ping": 1},
        "statuses": {"200": 2, "400": 1},
    }
    assert (record.path, record.status, record.weight, record.time) == ("/api/v3/klines", 200, 2, NOON)
    assert record.params == {"symbol": "BTCUSDT", "interval": "1m"}


async def test_only_the_latest_records_are_kept() -> None:
    async with Simulator(kept_requests=2) as simulator:
        for path in ("/api/v3/ping", "/api/v3/time", "/api/v3/exchangeInfo"):
            await ask(simulator, path)
    assert [record.path for record in simulator.requests] == ["/api/v3/time", "/api/v3/exchangeInfo"]


async def test_an_unknown_control_route_is_404() -> None:
    async with Simulator() as simulator:
        assert (await ask(simulator, "/_sim/weather")).status == 404


async def test_it_may_be_started_again_after_a_stop() -> None:
    simulator = Simulator()
    for _ in range(2):
        await simulator.start()
        assert (await ask(simulator, "/api/v3/ping")).status == 200
        await simulator.stop()
