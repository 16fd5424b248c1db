"""BingX's market sockets in the simulator: gzip, acknowledgements, frames, heartbeats, errors."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.simulator.asking_sockets import NOON, at_noon, talking
from tests.simulator.times import MINUTE

SPOT, SWAP = "/market", "/swap-market"
TOPICS = {SPOT: "BTC-USDT@kline_1min", SWAP: "BTC-USDT@kline_1m"}
PATHS = pytest.mark.parametrize("path", [SPOT, SWAP])


def request(topic: Any, kind: str = "sub") -> dict[str, Any]:
    return {"id": "u1", "reqType": kind, "dataType": topic}


def opened(frame: dict[str, Any]) -> int:
    """The open time of a frame's candle, which has another name on each market."""
    data = frame["data"]
    return int(data[0]["T"] if isinstance(data, list) else data["K"]["t"])


def numbers(frame: dict[str, Any]) -> tuple[float, ...]:
    data = frame["data"]
    row = data[0] if isinstance(data, list) else data["K"]
    return (opened(frame), *(float(row[name]) for name in "ohlcv"))


async def test_every_message_of_the_server_is_a_gzip_member() -> None:
    async with at_noon() as simulator, talking(simulator, SWAP) as talk:
        await talk.say(request(TOPICS[SWAP]))
        messages = [await talk.raw(), await talk.raw()]
    assert all(
        message.type is aiohttp.WSMsgType.BINARY and message.data[:2] == b"\x1f\x8b" for message in messages
    )


async def test_each_market_acknowledges_in_its_own_way() -> None:
    async with at_noon() as simulator:
        async with talking(simulator, SWAP) as talk:
            swap = await talk.ask(request(TOPICS[SWAP]))
        async with talking(simulator, SPOT) as talk:
            spot = await talk.ask({"id": "u1", "dataType": TOPICS[SPOT]})
    assert swap == {"id": "u1", "code": 0, "msg": "", "dataType": "", "data": None}
    assert spot == {"code": 0, "id": "u1", "msg": "SUCCESS", "timestamp": NOON + 30_000}


async def test_frames_of_a_swap_hold_a_list_with_one_candle() -> None:
    async with at_noon() as simulator, talking(simulator, SWAP) as talk:
        await talk.ask(request(TOPICS[SWAP]))
        frame = await talk.hear()
    (row,) = frame.pop("data")
    assert frame == {"code": 0, "dataType": TOPICS[SWAP], "s": "BTC-USDT"}
    assert (list(row), row.pop("T")) == (["c", "o", "h", "l", "v", "T"], NOON)
    assert all(isinstance(value, str) for value in row.values())


async def test_frames_of_spot_hold_one_candle_with_both_of_its_times() -> None:
    async with at_noon() as simulator, talking(simulator, SPOT) as talk:
        await talk.ask(request(TOPICS[SPOT]))
        frame = await talk.hear()
    row = frame["data"]["K"]
    assert (frame["dataType"], frame["success"], frame["data"]["E"]) == (TOPICS[SPOT], True, NOON + 30_000)
    assert (row["t"], row["T"], row["i"], row["s"]) == (NOON, NOON + MINUTE - 1, "1min", "BTC-USDT")


@PATHS
async def test_the_last_frame_of_a_candle_equals_the_history(path: str) -> None:
    kind = {SPOT: "spot", SWAP: "perpetual"}[path]
    async with at_noon() as simulator, talking(simulator, path) as talk:
        await talk.ask(request(TOPICS[path]))
        simulator.clock.advance(MINUTE)
        heard = await talk.until(lambda frame: opened(frame) == NOON + MINUTE)
        (history,) = simulator.history("BTCUSDT", NOON, NOON + MINUTE, "bingx", kind)
    assert numbers(heard[-2]) == tuple(map(float, history[:6]))


@PATHS
@pytest.mark.parametrize(
    "topic",
    ["NOPE-USDT@kline_1m", "btc-usdt@kline_1m", "BTCUSDT@kline_1m", "BTC-USDT@depth", "BTC-USD@kline_1m"],
)
async def test_unknown_topics_get_an_error(path: str, topic: str) -> None:
    async with at_noon() as simulator, talking(simulator, path) as talk:
        error = await talk.ask(request(topic))
    assert error == {"id": "u1", "code": 80015, "msg": "dataType not support", "dataType": "", "data": None}


async def test_markets_spell_a_minute_differently() -> None:
    async with at_noon() as simulator:
        async with talking(simulator, SPOT) as talk:
            spot = await talk.ask(request(TOPICS[SWAP]))
        async with talking(simulator, SWAP) as talk:
            swap = await talk.ask(request(TOPICS[SPOT]))
    assert (spot["code"], swap["code"]) == (80015, 80015)


@PATHS
@pytest.mark.parametrize("message", ["hello", "[]", request([TOPICS[SWAP]])])
async def test_garbage_gets_no_reply(path: str, message: Any) -> None:
    async with at_noon() as simulator, talking(simulator, path) as talk:
        await talk.say(message)
        answer = await talk.ask({"id": "later", "reqType": "unsub", "dataType": "BTC-USDT@kline_1m"})
    assert answer["id"] == "later"


@PATHS
async def test_an_ended_subscription_brings_nothing_more(path: str) -> None:
    async with at_noon() as simulator, talking(simulator, path) as talk:
        await talk.ask(request(TOPICS[path]))
        await talk.hear()
        assert (await talk.ask(request(TOPICS[path], "unsub")))["code"] == 0
        simulator.clock.advance(MINUTE)
        other = TOPICS[path].replace("BTC", "ETH")
        await talk.ask(request(other))
        simulator.clock.advance(MINUTE)
        heard = await talk.until(lambda frame: opened(frame) == NOON + 2 * MINUTE)
    assert {frame["dataType"] for frame in heard} == {other}
