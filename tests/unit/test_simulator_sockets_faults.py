"""What may go wrong with the simulated sockets: each fault shown on the wire, and its switch by HTTP."""

from __future__ import annotations

import gzip
import json
from typing import Any

import aiohttp
import pytest

from tests.simulator import Faults, Simulator, SimulatorClock, SocketFaults
from tests.simulator.asking import ask, klines, post
from tests.simulator.asking_sockets import NOON, SocketSession, at_noon, talking
from tests.simulator.times import MINUTE

BTC, ETH = "btcusdt@kline_1m", "ethusdt@kline_1m"
SWAP = "BTC-USDT@kline_1m"


def simulator_of(**faults: Any) -> Simulator:
    return at_noon(limits=False, faults=SocketFaults(heartbeat=None, **faults))


def hurrying(**faults: Any) -> Simulator:
    """A simulator in which an hour takes little more than a second."""
    sockets = SocketFaults(frames_per_minute=2, heartbeat=None, **faults)
    clock = SimulatorClock(NOON, speed=3000)
    return Simulator(clock=clock, faults=Faults(sockets=sockets), limits=False)


def klines_of(events: list[Any]) -> list[tuple[int, bool]]:
    """The open time in minutes from noon and whether it is the last, of each event."""
    return [((event["k"]["t"] - NOON) // MINUTE, event["k"]["x"]) for event in events]


async def minute_passed(simulator: Simulator, talk: SocketSession) -> list[Any]:
    """Let a minute pass and return the events up to one of the new minute."""
    simulator.clock.advance(MINUTE)
    return await talk.until(lambda event: event["k"]["t"] > simulator.clock.now() - MINUTE)


async def test_cut_connections_break_without_a_close_frame() -> None:
    async with simulator_of() as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        simulator.faults.sockets.cut_rate = 1.0
        simulator.clock.advance(MINUTE)
        assert await talk.ended() == 1006


async def test_all_connections_may_be_cut_at_once() -> None:
    async with (
        simulator_of() as simulator,
        talking(simulator, "/ws") as one,
        talking(simulator, "/market") as other,
    ):
        assert simulator.sockets == 2
        simulator.cut_sockets()
        assert [await one.ended(), await other.ended()] == [1006, 1006]


async def test_silence_keeps_the_connection_and_sends_nothing() -> None:
    async with simulator_of(silence=True) as simulator, talking(simulator, "/ws") as talk:
        await talk.say({"method": "SUBSCRIBE", "params": [BTC], "id": 1})
        await received(simulator, 1)
        simulator.clock.advance(MINUTE)
        simulator.faults.sockets.silence = False
        answer = await talk.until(lambda message: "result" not in message)
    assert answer[0]["e"] == "kline"


async def received(simulator: Simulator, count: int) -> None:
    """Wait until the simulator took so many messages."""
    while (await ask(simulator, "/_sim/sockets")).json["received"] < count:
        pass


async def test_muted_symbols_have_no_frames() -> None:
    async with simulator_of(mute={"BTCUSDT"}) as simulator, talking(simulator, f"/ws/{BTC}/{ETH}") as talk:
        events = [
            await talk.hear(),
            *await minute_passed(simulator, talk),
            *await minute_passed(simulator, talk),
        ]
    assert {event["s"] for event in events} == {"ETHUSDT"}


async def test_frames_may_come_twice() -> None:
    async with simulator_of(duplicate_rate=1.0) as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        events = await minute_passed(simulator, talk)
    assert klines_of(events) == [(0, True), (0, True), (1, False)]


async def test_frames_may_come_out_of_order() -> None:
    async with simulator_of(unordered_rate=1.0) as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        simulator.clock.advance(MINUTE)
        events = [await talk.hear(), await talk.hear()]
    assert klines_of(events) == [(1, False), (0, True)]


async def test_the_last_frame_may_come_after_the_next_minutes_first() -> None:
    async with simulator_of(late_rate=1.0) as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        simulator.clock.advance(MINUTE)
        first = await talk.hear()
        simulator.clock.advance(430)
        late = await talk.hear()
    assert klines_of([first, late]) == [(1, False), (0, True)]
    assert late["E"] == NOON + MINUTE + 20


async def test_a_candles_last_frame_may_be_left_out() -> None:
    async with simulator_of(drop_closing_rate=1.0) as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        assert klines_of(await minute_passed(simulator, talk)) == [(1, False)]


async def test_any_frame_may_be_left_out() -> None:
    async with hurrying(drop_rate=0.5) as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        first = (await talk.hear())["k"]["t"]
        events = await talk.until(lambda event: event["k"]["t"] >= first + 60 * MINUTE)
    assert 5 < len([event for event in events if event["k"]["x"]]) < 55


async def test_torn_frames_are_half_a_text_or_a_broken_gzip_member() -> None:
    async with (
        simulator_of() as simulator,
        talking(simulator, f"/ws/{BTC}") as text,
        talking(simulator, "/swap-market") as binary,
    ):
        await text.hear()
        await binary.ask({"id": "1", "reqType": "sub", "dataType": SWAP})
        await binary.hear()
        simulator.faults.sockets.torn_rate = 1.0
        simulator.clock.advance(MINUTE)
        with pytest.raises(json.JSONDecodeError):
            await text.hear()
        message = await binary.raw()
    assert message.data[:2] == b"\x1f\x8b"
    with pytest.raises(EOFError):
        gzip.decompress(message.data)


async def test_frames_of_symbols_that_nobody_asked_for_may_come() -> None:
    async with simulator_of(wrong_topic_rate=1.0) as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        simulator.clock.advance(MINUTE)
        events = [await talk.hear(), await talk.hear()]
    assert [event["s"] for event in events] == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("/ws", {"method": "SUBSCRIBE", "params": [BTC], "id": 1}, 2),
        (
            "/v2/ws/public",
            {"op": "subscribe", "args": [{"instType": "SPOT", "channel": "candle1m", "instId": "BTCUSDT"}]},
            30001,
        ),
        ("/swap-market", {"id": "1", "reqType": "sub", "dataType": SWAP}, 80015),
    ],
)
async def test_symbols_may_be_refused(path: str, message: Any, code: int) -> None:
    async with simulator_of(refuse={"BTCUSDT"}) as simulator, talking(simulator, path) as talk:
        assert (await talk.ask(message))["code"] == code


async def test_a_refused_topic_of_bingx_may_leak_a_frame() -> None:
    refusing = simulator_of(refuse={"BTCUSDT"}, leak=True)
    async with refusing as simulator, talking(simulator, "/swap-market") as talk:
        await talk.say({"id": "1", "reqType": "sub", "dataType": SWAP})
        messages = [await talk.hear(), await talk.hear()]
        await talk.ask({"id": "2", "reqType": "sub", "dataType": SWAP.replace("BTC", "ETH")})
        simulator.clock.advance(MINUTE)
        after = await talk.until(lambda message: message["data"][0]["T"] == NOON + MINUTE)
    assert sorted((message["code"], message.get("s", "")) for message in messages) == [
        (0, "BTC-USDT"),
        (80015, ""),
    ]
    assert {message["s"] for message in after} == {"ETH-USDT"}


@pytest.mark.parametrize("status", [403, 451, 502])
async def test_handshakes_may_be_refused(status: int) -> None:
    async with simulator_of(handshake_status=status) as simulator:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with talking(simulator, "/ws"):
                pass
        counts = (await ask(simulator, "/_sim/sockets")).json
    assert refusal.value.status == status
    assert (counts["refused"], counts["handshakes"], simulator.sockets) == (1, 0, 0)


async def test_pings_of_the_client_are_answered_unless_switched_off() -> None:
    async with simulator_of() as simulator, talking(simulator, "/ws") as talk:
        await talk.socket.ping(b"there?")
        assert (await talk.raw()).data == b"there?"
        simulator.faults.sockets.ignore_pings = True
        await talk.socket.ping(b"still there?")
        assert (await talk.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1}))["result"] == []


async def test_a_revision_is_seen_by_rest_and_was_not_by_the_socket() -> None:
    async with simulator_of() as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        simulator.faults.revisions = {("BTCUSDT", NOON): {"volume": "1.00000000"}}
        (closing, *_) = await minute_passed(simulator, talk)
        (row,) = await klines(simulator, startTime=NOON, limit=1)
        simulator.faults.revisions = {}
        (traded,) = await klines(simulator, startTime=NOON, limit=1)
    assert row[5] == "1.00000000"
    assert closing["k"]["v"] == traded[5]


async def test_no_minute_is_lost_at_many_fold_speed() -> None:
    async with hurrying() as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        first = (await talk.hear())["k"]["t"]
        events = await talk.until(lambda event: event["k"]["t"] >= first + 60 * MINUTE)
    ends = [event["k"]["t"] for event in events if event["k"]["x"]]
    assert len(ends) > 50
    assert ends == list(range(ends[0], ends[-1] + MINUTE, MINUTE))


async def test_the_switches_are_changed_over_http_and_counts_are_shown() -> None:
    async with simulator_of() as simulator, talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        reply = await post(simulator, "/_sim/faults", {"sockets": {"duplicate_rate": 1, "mute": ["ETHUSDT"]}})
        assert (reply.status, reply.json["sockets"]["mute"]) == (200, ["ETHUSDT"])
        assert simulator.faults.sockets == SocketFaults(duplicate_rate=1, mute=frozenset({"ETHUSDT"}))
        counts = (await ask(simulator, "/_sim/sockets")).json
        assert counts == {"open": 1, "handshakes": 1, "refused": 0, "received": 0, "sent": 1}
        assert (await post(simulator, "/_sim/cut", {})).status == 200
        assert await talk.ended() == 1006


@pytest.mark.parametrize("wrong", [{"cut_rate": 2}, {"cut": 1}, {"late_rate": "often"}])
async def test_wrong_switches_are_refused(wrong: dict[str, Any]) -> None:
    async with simulator_of() as simulator:
        reply = await post(simulator, "/_sim/faults", {"sockets": wrong})
    assert reply.status == 400
    assert simulator.faults.sockets == SocketFaults(heartbeat=None)


async def test_an_address_of_sockets_without_an_upgrade_is_not_found() -> None:
    async with simulator_of() as simulator:
        assert (await ask(simulator, "/stream")).status == 404


async def test_stopping_does_not_wait_for_clients() -> None:
    simulator = simulator_of()
    await simulator.start()
    async with talking(simulator, f"/ws/{BTC}") as talk:
        await talk.hear()
        await simulator.stop()
        assert await talk.ended() == 1006
        assert simulator.sockets == 0
