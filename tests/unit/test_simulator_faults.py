"""Misbehaviour of the simulator: each fault alone, and what it does to answers and history."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.simulator import Faults, Forced, Simulator, SimulatorClock
from tests.simulator.asking import Reply, ask, klines
from tests.simulator.times import HOUR, MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
KLINES = "/api/v3/klines"


def simulator_with(faults: Faults) -> Simulator:
    return Simulator(clock=SimulatorClock(NOON, frozen=True), faults=faults)


async def page(simulator: Simulator, start: int, end: int) -> Reply:
    params = {"symbol": "BTCUSDT", "interval": "1m", "startTime": start, "endTime": end}
    return await ask(simulator, KLINES, params)


async def until_hanging(simulator: Simulator, count: int) -> None:
    for _ in range(10_000):
        if simulator.faults.hanging == count:
            return
        await asyncio.sleep(0.001)
    raise TimeoutError(f"{simulator.faults.hanging} requests hang instead of {count}")


async def test_faults_may_be_switched_while_the_simulator_runs() -> None:
    async with simulator_with(Faults()) as simulator:
        before = await ask(simulator, "/api/v3/ping")
        simulator.faults.error_rate = 1
        during = await ask(simulator, "/api/v3/ping")
        simulator.faults.error_rate = 0
        after = await ask(simulator, "/api/v3/ping")
    assert (before.status, during.status // 100, after.status) == (200, 5, 200)


async def test_latency_delays_every_answer() -> None:
    async with simulator_with(Faults(latency=0.02, jitter=0.01)) as simulator:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await ask(simulator, "/api/v3/ping")
        assert loop.time() - start >= 0.02


async def test_a_page_cap_cuts_pages_below_the_documented_size() -> None:
    async with simulator_with(Faults(page_cap=800)) as simulator:
        oldest = await klines(simulator, startTime=NOON - 2000 * MINUTE, limit=1000)
        newest = await klines(simulator, limit=1000)
        small = await klines(simulator, limit=5)
    assert [len(rows) for rows in (oldest, newest, small)] == [800, 800, 5]
    assert oldest[0][0] == NOON - 2000 * MINUTE
    assert newest[-1][0] == NOON


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        (NOON - 70 * MINUTE, NOON - 61 * MINUTE, 200),
        (NOON - 70 * MINUTE, NOON - 60 * MINUTE, 500),
        (NOON - 55 * MINUTE, NOON - 54 * MINUTE, 500),
        (NOON - 50 * MINUTE, NOON - 45 * MINUTE, 200),
    ],
)
async def test_a_request_that_touches_a_failing_window_answers_500(start: int, end: int, status: int) -> None:
    faults = Faults(failing=[(NOON - 60 * MINUTE, NOON - 50 * MINUTE)])
    async with simulator_with(faults) as simulator:
        assert (await page(simulator, start, end)).status == status


async def test_a_failing_window_is_touched_only_by_pages_that_reach_it() -> None:
    async with simulator_with(Faults(failing=[(NOON - HOUR, NOON)])) as simulator:
        far = {"symbol": "BTCUSDT", "interval": "1m", "startTime": 0, "limit": 1000}
        assert (await ask(simulator, KLINES, far)).status == 200
        assert (await ask(simulator, KLINES, {"symbol": "BTCUSDT", "interval": "1m"})).status == 500


async def test_server_errors_come_with_the_exchanges_body_or_a_proxys_page() -> None:
    async with simulator_with(Faults(error_rate=1)) as simulator:
        replies = {}
        for status in (500, 502, 503, 504):
            simulator.faults.error_statuses = [status]
            replies[status] = await ask(simulator, "/api/v3/time")
    assert [reply.status for reply in replies.values()] == [500, 502, 503, 504]
    assert replies[500].json["code"] == -1000
    assert replies[503].json["code"] == -1008
    assert replies[502].text.startswith("<html>")


async def test_random_faults_repeat_with_the_same_seed() -> None:
    async def statuses(seed: int) -> list[int]:
        faults = Faults(error_rate=0.5)
        faults.reseed(seed)
        async with simulator_with(faults) as simulator:
            return [(await ask(simulator, "/api/v3/ping")).status for _ in range(30)]

    first, again, other = await statuses(1), await statuses(1), await statuses(2)
    assert first == again
    assert first != other
    assert {200} < set(first)


async def test_a_reset_cuts_the_connection_without_an_answer() -> None:
    async with simulator_with(Faults(reset_rate=1)) as simulator:
        with pytest.raises(aiohttp.ClientError):
            await ask(simulator, "/api/v3/ping")
        assert simulator.requests[-1].status == 0


async def test_a_hanging_answer_waits_until_it_is_released() -> None:
    async with simulator_with(Faults(hang_rate=1)) as simulator:
        waiting = asyncio.create_task(ask(simulator, "/api/v3/ping"))
        await until_hanging(simulator, 1)
        assert not waiting.done()
        simulator.faults.release()
        assert (await waiting).status == 200


async def test_a_hanging_answer_may_end_by_itself() -> None:
    async with simulator_with(Faults(hang_rate=1, hang_seconds=0.01)) as simulator:
        assert (await ask(simulator, "/api/v3/ping")).status == 200


async def test_a_hanging_request_that_its_caller_gives_up_is_recorded_without_a_status() -> None:
    async with simulator_with(Faults(hang_rate=1)) as simulator:
        waiting = asyncio.create_task(ask(simulator, "/api/v3/ping"))
        await until_hanging(simulator, 1)
        waiting.cancel()
        await until_hanging(simulator, 0)
        assert [record.status for record in simulator.requests] == [0]


async def test_stopping_lets_go_of_hanging_answers() -> None:
    simulator = simulator_with(Faults(hang_rate=1))
    await simulator.start()
    waiting = asyncio.create_task(ask(simulator, "/api/v3/ping"))
    await until_hanging(simulator, 1)
    await simulator.stop()
    assert (await waiting).status == 200


async def test_garbage_is_a_page_half_a_body_or_nothing_with_status_200() -> None:
    async with simulator_with(Faults(garbage_rate=1)) as simulator:
        replies = {}
        for kind in ("html", "truncated", "empty"):
            simulator.faults.garbage_kinds = [kind]
            replies[kind] = await page(simulator, NOON - HOUR, NOON)
    assert {reply.status for reply in replies.values()} == {200}
    assert replies["html"].text.startswith("<html>")
    assert replies["truncated"].text.startswith("[[")
    with pytest.raises(json.JSONDecodeError):
        assert replies["truncated"].json
    assert replies["empty"].text == ""


async def test_rows_out_of_order_are_the_right_ones_all_the_same() -> None:
    async with simulator_with(Faults()) as simulator:
        straight = (await page(simulator, NOON - HOUR, NOON)).json
        simulator.faults.unordered_rate = 1
        shuffled = (await page(simulator, NOON - HOUR, NOON)).json
    assert shuffled != straight
    assert sorted(shuffled) == straight


async def test_duplicates_repeat_rows_of_the_page() -> None:
    async with simulator_with(Faults()) as simulator:
        straight = (await page(simulator, NOON - HOUR, NOON)).json
        simulator.faults.duplicate_rate = 1
        repeated = (await page(simulator, NOON - HOUR, NOON)).json
    assert len(repeated) > len(straight)
    assert {row[0] for row in repeated} == {row[0] for row in straight}


async def test_rows_outside_the_window_are_real_neighbours() -> None:
    async with simulator_with(Faults(outside_rate=1)) as simulator:
        rows = (await page(simulator, NOON - HOUR, NOON - 50 * MINUTE)).json
        truth = simulator.history("BTCUSDT", NOON - HOUR - 2 * MINUTE, NOON - 47 * MINUTE)
    assert [row[0] for row in rows] == [candle[0] for candle in truth]


async def test_an_outage_leaves_minutes_absent_from_answers_and_history() -> None:
    outage = (NOON - 30 * MINUTE, NOON - 10 * MINUTE)
    async with simulator_with(Faults(outages=[outage])) as simulator:
        rows = (await page(simulator, NOON - HOUR, NOON - 1)).json
        history = simulator.history("BTCUSDT", NOON - HOUR, NOON)
        inside = (await page(simulator, outage[0], outage[1] - 1)).json
    assert [row[0] for row in rows] == [row[0] for row in history]
    assert [row[0] for row in rows if outage[0] <= row[0] < outage[1]] == []
    assert (len(rows), inside) == (40, [])


async def test_a_page_goes_on_after_an_outage_until_it_is_full() -> None:
    outage = (NOON - 3000 * MINUTE, NOON - 200 * MINUTE)
    async with simulator_with(Faults(outages=[outage])) as simulator:
        oldest = await klines(simulator, startTime=NOON - 3005 * MINUTE, limit=10)
        newest = await klines(simulator, endTime=NOON - 196 * MINUTE, limit=10)
    assert [(row[0] - NOON) // MINUTE for row in oldest] == [*range(-3005, -3000), *range(-200, -195)]
    assert [(row[0] - NOON) // MINUTE for row in newest] == [*range(-3005, -3000), *range(-200, -195)]


async def test_an_outage_shortens_longer_candles_and_removes_whole_ones() -> None:
    outage = (NOON - 3 * HOUR, NOON - 90 * MINUTE)
    async with simulator_with(Faults(outages=[outage])) as simulator:
        rows = await klines(simulator, interval="1h", startTime=NOON - 4 * HOUR, endTime=NOON - 1)
        minutes = simulator.history("BTCUSDT", NOON - 90 * MINUTE, NOON - HOUR)
    assert [row[0] for row in rows] == [NOON - 4 * HOUR, NOON - 2 * HOUR, NOON - HOUR]
    assert rows[1][8] == sum(minute[7] for minute in minutes)


async def test_an_outage_now_leaves_out_the_minute_that_is_not_over() -> None:
    async with simulator_with(Faults(outages=[(NOON - 2 * MINUTE, NOON + HOUR)])) as simulator:
        rows = await klines(simulator, limit=1)
    assert rows[0][0] == NOON - 3 * MINUTE


async def test_an_outage_that_ends_brings_the_minutes_back() -> None:
    async with simulator_with(Faults(outages=[(NOON - HOUR, NOON)])) as simulator:
        during = (await page(simulator, NOON - HOUR, NOON - 1)).json
        simulator.faults.outages.clear()
        after = (await page(simulator, NOON - HOUR, NOON - 1)).json
    assert (len(during), len(after)) == (0, 60)


async def test_a_revision_changes_a_closed_candle_in_answers_and_history() -> None:
    instant = NOON - 30 * MINUTE
    async with simulator_with(Faults()) as simulator:
        before = (await page(simulator, instant, instant)).json[0]
        simulator.faults.revisions["BTCUSDT", instant] = {"close": "12345.60000000", "trades": 7}
        after = (await page(simulator, instant, instant)).json[0]
        (history,) = simulator.history("BTCUSDT", instant, instant + MINUTE)
        longer = (await klines(simulator, interval="5m", endTime=instant - MINUTE * 4 + 5 * MINUTE, limit=1))[
            0
        ]
    assert (after[4], after[8]) == ("12345.60000000", 7)
    assert [after[n] for n in (0, 1, 2, 3, 5, 7)] == [before[n] for n in (0, 1, 2, 3, 5, 7)]
    assert (history[4], history[7]) == (12345.6, 7)
    assert longer[0] == instant


async def test_a_revision_is_of_one_symbol_only() -> None:
    instant = NOON - 30 * MINUTE
    faults = Faults(revisions={("BTCUSDT", instant): {"close": "1.00000000"}})
    async with simulator_with(faults) as simulator:
        row = (await klines(simulator, "ETHUSDT", startTime=instant, limit=1))[0]
    assert row[4] != "1.00000000"


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (429, -1003, "Too much request weight used; current limit is 6000"),
        (418, -1003, f"Way too much request weight used; IP banned until {NOON + 7000}"),
        (451, 0, "Service unavailable from a restricted location"),
    ],
)
async def test_a_forced_status_has_binances_body(status: int, code: int, text: str) -> None:
    async with simulator_with(Faults(forced=Forced(status, retry_after=7))) as simulator:
        reply = await ask(simulator, "/api/v3/ping")
    assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (status, code, "7")
    assert reply.json["msg"].startswith(text)


async def test_a_forced_403_is_the_firewalls_page() -> None:
    async with simulator_with(Faults(forced=Forced(403))) as simulator:
        reply = await ask(simulator, "/api/v3/ping")
    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (403, "text/html")
    assert "<title>ERROR: The request could not be satisfied</title>" in reply.text


async def test_a_forced_status_lasts_for_its_count_of_requests() -> None:
    async with simulator_with(Faults(forced=Forced(429, count=2))) as simulator:
        replies = [await ask(simulator, "/api/v3/ping") for _ in range(3)]
    assert [reply.status for reply in replies] == [429, 429, 200]
    assert "retry-after" not in replies[0].headers


async def test_every_answer_carries_the_weight_header() -> None:
    async with simulator_with(Faults(forced=Forced(418))) as simulator:
        forced = await ask(simulator, "/api/v3/ping")
        simulator.faults.error_rate = 1
        failed = await ask(simulator, "/api/v3/ping")
    assert [reply.headers["x-mbx-used-weight-1m"] for reply in (forced, failed)] == ["1", "2"]
