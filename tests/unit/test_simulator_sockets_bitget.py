"""Bitget's candle channels in the simulator: acknowledgements, snapshots, updates, errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.asking_sockets import NOON, at_noon, talking
from tests.simulator.times import MINUTE

PATH = "/v2/ws/public"
TYPES = pytest.mark.parametrize(("inst_type", "kind"), [("SPOT", "spot"), ("USDT-FUTURES", "perpetual")])


def channel(inst_type: str = "SPOT", name: str = "candle1m", symbol: str = "BTCUSDT") -> dict[str, str]:
    return {"instType": inst_type, "channel": name, "instId": symbol}


def subscribe(*channels: dict[str, str], op: str = "subscribe") -> dict[str, Any]:
    return {"op": op, "args": list(channels)}


@TYPES
async def test_a_snapshot_of_500_candles_follows_the_acknowledgement(inst_type: str, kind: str) -> None:
    arg = channel(inst_type)
    async with at_noon() as simulator, talking(simulator, PATH) as talk:
        assert await talk.ask(subscribe(arg)) == {"event": "subscribe", "arg": arg}
        snapshot = await talk.hear()
        history = simulator.history("BTCUSDT", NOON - 499 * MINUTE, NOON, "bitget", kind)
    *closed, forming = snapshot["data"]
    assert (snapshot["action"], snapshot["arg"], snapshot["ts"]) == ("snapshot", arg, NOON + 30_000)
    assert [tuple(map(float, row[:7])) for row in closed] == [tuple(map(float, row[:7])) for row in history]
    assert (int(forming[0]), len(closed), {len(row) for row in closed}) == (NOON, 499, {8})


@TYPES
async def test_updates_end_a_candle_with_a_row_that_equals_the_history(inst_type: str, kind: str) -> None:
    async with at_noon() as simulator, talking(simulator, PATH) as talk:
        await talk.ask(subscribe(channel(inst_type)))
        await talk.hear()
        simulator.clock.advance(MINUTE)
        heard = await talk.until(lambda frame: int(frame["data"][-1][0]) == NOON + MINUTE)
        (history,) = simulator.history("BTCUSDT", NOON, NOON + MINUTE, "bitget", kind)
    last = [frame for frame in heard if int(frame["data"][0][0]) == NOON][-1]
    assert (last["action"], len(last["data"]), len(last["data"][0])) == ("update", 1, 8)
    assert tuple(map(float, last["data"][0][:7])) == tuple(map(float, history[:7]))


async def test_each_argument_is_acknowledged_by_itself_and_may_be_left() -> None:
    spot, swap = channel(), channel("USDT-FUTURES")
    async with at_noon() as simulator, talking(simulator, PATH) as talk:
        await talk.say(subscribe(spot, swap))
        heard = [await talk.hear() for _ in range(4)]
        assert [(message.get("event") or message["action"], message["arg"]) for message in heard] == [
            ("subscribe", spot),
            ("snapshot", spot),
            ("subscribe", swap),
            ("snapshot", swap),
        ]
        assert await talk.ask(subscribe(spot, op="unsubscribe")) == {"event": "unsubscribe", "arg": spot}
        simulator.clock.advance(MINUTE)
        updates = await talk.until(lambda frame: int(frame["data"][-1][0]) == NOON + MINUTE)
    assert {frame["arg"]["instType"] for frame in updates} == {"USDT-FUTURES"}


@pytest.mark.parametrize(
    ("arg", "code"),
    [
        (channel(symbol="NOPEUSDT"), 30001),
        (channel(name="candle1min"), 30016),
        (channel(name="books"), 30016),
        (channel("FUTURES"), 30016),
    ],
)
async def test_wrong_arguments_get_an_error(arg: dict[str, str], code: int) -> None:
    async with at_noon() as simulator, talking(simulator, PATH) as talk:
        error = await talk.ask(subscribe(arg))
    assert (error["event"], error["arg"], error["code"], error["op"]) == ("error", arg, code, "subscribe")


@pytest.mark.parametrize(
    ("message", "code"), [({"op": "shout", "args": []}, 30003), ("{", 30016), ([], 30016)]
)
async def test_messages_that_are_no_requests_get_an_error(message: Any, code: int) -> None:
    async with at_noon() as simulator, talking(simulator, PATH) as talk:
        error = await talk.ask(message)
    assert (error["event"], error["code"]) == ("error", code)


@pytest.mark.parametrize("arg", [channel("USDT-FUTURES", symbol="BNBUSDT"), channel("USDC-FUTURES")])
async def test_a_symbol_of_another_type_is_acknowledged_and_stays_silent(arg: dict[str, str]) -> None:
    async with at_noon() as simulator, talking(simulator, PATH) as talk:
        assert await talk.ask(subscribe(arg)) == {"event": "subscribe", "arg": arg}
        simulator.clock.advance(MINUTE)
        await talk.say("ping")
        assert await talk.text() == "pong"
