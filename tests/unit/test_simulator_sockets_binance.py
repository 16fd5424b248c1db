"""Binance's market streams in the simulator: control messages, frames, the end of a minute."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.asking_sockets import NOON, at_noon, talking
from tests.simulator.server import Simulator
from tests.simulator.times import MINUTE

BTC, ETH = "btcusdt@kline_1m", "ethusdt@kline_1m"
PREFIXES = pytest.mark.parametrize("prefix", ["", "/market"])


def subscribe(*names: str, method: str = "SUBSCRIBE") -> dict[str, Any]:
    return {"method": method, "params": list(names), "id": 7}


def candle(simulator: Simulator, kind: str, open_time: int = NOON) -> tuple[float, ...]:
    """The candle of the history, in the order that `numbers` has."""
    (row,) = simulator.history("BTCUSDT", open_time, open_time + MINUTE, "binance", kind)
    return tuple(row)


def numbers(kline: dict[str, Any]) -> tuple[float, ...]:
    return (
        kline["t"],
        *(float(kline[name]) for name in "ohlcvq"),
        kline["n"],
        *map(float, (kline["V"], kline["Q"])),
    )


@PREFIXES
async def test_a_raw_stream_is_named_in_the_address(prefix: str) -> None:
    async with at_noon() as simulator, talking(simulator, f"{prefix}/ws/{BTC}") as talk:
        event = await talk.hear()
    kline = event["k"]
    assert (event["e"], event["s"], event["E"]) == ("kline", "BTCUSDT", NOON + 30_000)
    assert (kline["t"], kline["T"], kline["i"], kline["x"]) == (NOON, NOON + MINUTE - 1, "1m", False)
    assert kline["L"] - kline["f"] + 1 == kline["n"] > 0


@PREFIXES
async def test_combined_streams_wrap_their_frames(prefix: str) -> None:
    async with at_noon() as simulator, talking(simulator, f"{prefix}/stream?streams={BTC}/{ETH}") as talk:
        frames = [await talk.hear(), await talk.hear()]
    assert {frame["stream"]: frame["data"]["s"] for frame in frames} == {BTC: "BTCUSDT", ETH: "ETHUSDT"}


@pytest.mark.parametrize(("prefix", "kind"), [("", "spot"), ("/market", "perpetual")])
async def test_the_last_frame_of_a_minute_says_so_once_and_equals_the_history(prefix: str, kind: str) -> None:
    async with at_noon() as simulator, talking(simulator, f"{prefix}/ws/{BTC}") as talk:
        await talk.hear()
        simulator.clock.advance(MINUTE)
        heard = await talk.until(lambda event: event["k"]["t"] == NOON + MINUTE)
        closing = [event["k"] for event in heard if event["k"]["x"]]
        history = candle(simulator, kind)
    assert [numbers(kline) for kline in closing] == [history]
    assert heard[-1]["k"]["x"] is False


async def test_a_message_subscribes_and_another_one_ends_it() -> None:
    async with at_noon() as simulator, talking(simulator, "/ws") as talk:
        assert await talk.ask(subscribe(BTC)) == {"result": None, "id": 7}
        assert (await talk.hear())["s"] == "BTCUSDT"
        assert await talk.ask(subscribe(method="LIST_SUBSCRIPTIONS")) == {"result": [BTC], "id": 7}
        assert await talk.ask(subscribe(BTC, method="UNSUBSCRIBE")) == {"result": None, "id": 7}
        assert await talk.ask(subscribe(method="LIST_SUBSCRIPTIONS")) == {"result": [], "id": 7}


@pytest.mark.parametrize("name", ["nopeusdt@kline_1m", "BTCUSDT@kline_1m", "btcusdt@kline_7m", "btcusdt"])
async def test_unknown_streams_are_acknowledged_and_stay_silent(name: str) -> None:
    async with at_noon() as simulator, talking(simulator, "/ws") as talk:
        assert await talk.ask(subscribe(name)) == {"result": None, "id": 7}
        assert await talk.ask(subscribe(ETH)) == {"result": None, "id": 7}
        simulator.clock.advance(MINUTE)
        heard = await talk.until(lambda event: event["k"]["x"])
    assert {event["s"] for event in heard} == {"ETHUSDT"}


@pytest.mark.parametrize(
    ("message", "code", "identifier"),
    [
        ({"method": "SET_PROPERTY", "params": ["joined", True], "id": 1}, 0, 1),
        ({"method": "SET_PROPERTY", "params": ["combined", "yes"], "id": 2}, 1, 2),
        ({"method": "SHOUT", "params": [], "id": 3}, 2, 3),
        ({"params": [BTC], "id": 4}, 2, 4),
        ("{", 3, None),
    ],
)
async def test_wrong_messages_get_a_code(message: Any, code: int, identifier: int | None) -> None:
    async with at_noon() as simulator, talking(simulator, "/ws") as talk:
        answer = await talk.ask(message)
    assert (answer["code"], answer["id"]) == (code, identifier)


async def test_the_property_combined_wraps_later_frames() -> None:
    async with at_noon() as simulator, talking(simulator, "/ws") as talk:
        answer = await talk.ask({"method": "SET_PROPERTY", "params": ["combined", True], "id": 1})
        assert answer == {"result": None, "id": 1}
        await talk.ask(subscribe(BTC))
        assert (await talk.hear())["stream"] == BTC


@pytest.mark.parametrize("path", ["/fstream-legacy/ws", "/fstream-legacy/stream"])
async def test_the_legacy_address_acknowledges_and_stays_silent(path: str) -> None:
    async with at_noon() as simulator, talking(simulator, path) as talk:
        assert await talk.ask(subscribe(BTC)) == {"result": None, "id": 7}
        simulator.clock.advance(MINUTE)
        assert await talk.ask(subscribe(method="LIST_SUBSCRIPTIONS")) == {"result": [BTC], "id": 7}
