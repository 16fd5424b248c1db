"""Heartbeats, limits and ends of life of the simulated sockets, in the simulator's time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.simulator import Faults, Simulator, SimulatorClock, SocketFaults, synthetic_market
from tests.simulator.archive import Archive
from tests.simulator.asking_sockets import NOON, SocketSession, at_noon, talking
from tests.simulator.markets import Market
from tests.simulator.sockets import binance, bingx, bitget
from tests.simulator.sockets.dialect import Dialect
from tests.simulator.sockets.pulse import Pulse
from tests.simulator.sockets.session import Session
from tests.simulator.sparse import SparseMinutes
from tests.simulator.times import MINUTE

BINANCE = pytest.mark.parametrize("path", ["/ws", "/market/ws"])
BINGX = pytest.mark.parametrize("path", ["/market", "/swap-market"])
DIALECTS = pytest.mark.parametrize(
    "dialect",
    [binance.SPOT, binance.PERPETUAL, bitget.BITGET, bingx.SPOT, bingx.SWAP],
    ids=lambda dialect: dialect.name,
)
TOO_MANY = '{"event":"error","code":30006,"msg":"request too many"}'
STEP = 1000
"""Simulated ms that go by between two turns of the loop: frames arrive in a few of these, however slow the
machine is."""


@asynccontextmanager
async def hurrying(**faults: Any) -> AsyncIterator[Simulator]:
    clock = SimulatorClock(NOON, frozen=True)
    async with Simulator(clock=clock, faults=Faults(sockets=SocketFaults(**faults))) as simulator:
        passing = asyncio.create_task(pass_time(clock))
        yield simulator
        passing.cancel()


async def pass_time(clock: SimulatorClock) -> None:
    while True:
        clock.elapse(STEP)
        await asyncio.sleep(0.002)


def channel(symbol: str, name: str = "candle1m") -> dict[str, str]:
    return {"instType": "SPOT", "channel": name, "instId": symbol}


async def answered(talk: SocketSession, path: str) -> None:
    """Answer the next heartbeat as the venue wants it."""
    message = await talk.raw()
    if path.endswith("/ws"):
        assert message.type is aiohttp.WSMsgType.PING
        await talk.socket.pong(message.data)
    else:
        await talk.say("Pong")


@pytest.mark.parametrize(("path", "every"), [("/ws", 20_000), ("/market/ws", 180_000)])
async def test_binance_pings_by_protocol(path: str, every: int) -> None:
    async with at_noon(faults=SocketFaults()) as simulator, talking(simulator, path) as talk:
        simulator.clock.advance(every)
        message = await talk.raw()
    assert message.type is aiohttp.WSMsgType.PING


async def test_bingx_pings_with_a_text_on_swap_and_an_object_on_spot() -> None:
    async with (
        at_noon(faults=SocketFaults()) as simulator,
        talking(simulator, "/swap-market") as swap,
        talking(simulator, "/market") as spot,
    ):
        simulator.clock.advance(5_000)
        assert await swap.text() == "Ping"
        ping = await spot.hear()
    assert set(ping) == {"ping", "time"}


@pytest.mark.parametrize(
    ("path", "within", "code"),
    [
        ("/ws", 80_000, 1008),
        ("/market/ws", 780_000, 1008),
        ("/v2/ws/public", 120_000, 1006),
        ("/market", 30_500, 1006),
        ("/swap-market", 30_500, 1006),
    ],
)
async def test_a_client_that_gives_no_sign_of_life_is_cut(path: str, within: int, code: int) -> None:
    async with hurrying() as simulator, talking(simulator, path) as talk:
        assert await talk.ended() == code
        assert within < simulator.clock.now() - NOON < within + 2 * MINUTE


@BINGX
async def test_pongs_keep_a_connection_to_bingx(path: str) -> None:
    async with hurrying() as simulator, talking(simulator, path) as talk:
        while simulator.clock.now() < NOON + 3 * MINUTE:
            await answered(talk, path)


async def test_pongs_that_echo_the_ping_keep_a_connection_to_binance() -> None:
    async with hurrying() as simulator, talking(simulator, "/ws") as talk:
        while simulator.clock.now() < NOON + 5 * MINUTE:
            await answered(talk, "/ws")


async def test_pongs_that_echo_nothing_do_not() -> None:
    async with hurrying() as simulator, talking(simulator, "/ws") as talk:
        while (await talk.raw()).type is aiohttp.WSMsgType.PING:
            await talk.socket.pong(b"nothing")
        assert talk.socket.close_code == 1008


async def test_texts_keep_a_connection_to_bitget() -> None:
    async with hurrying() as simulator, talking(simulator, "/v2/ws/public") as talk:
        while simulator.clock.now() < NOON + 5 * MINUTE:
            await talk.say("ping")
            assert await talk.text() in ("pong", TOO_MANY)


def due(dialect: Dialect, **faults: Any) -> list[int]:
    """When a connection of a silent client is sent something or ended within an hour, in s."""
    simulated = {
        "spot": Archive([], SimulatorClock(NOON, frozen=True), Faults(sockets=SocketFaults(**faults)))
    }
    pulse = Pulse(dialect, Session(simulated))
    return [second for second in range(3600) for _ in pulse.step(NOON + second * 1000)]


@DIALECTS
def test_heartbeats_may_be_switched_off(dialect: Dialect) -> None:
    assert due(dialect)
    assert due(dialect, heartbeat=None) == []


@DIALECTS
def test_the_times_of_heartbeats_may_be_stretched(dialect: Dialect) -> None:
    assert due(dialect, heartbeat=2.0)[0] in range(2 * due(dialect)[0] - 1, 2 * due(dialect)[0] + 1)


@BINANCE
async def test_binance_ends_a_connection_after_a_day_and_says_so_before(path: str) -> None:
    faults = SocketFaults(notice=MINUTE, heartbeat=None)
    async with at_noon(faults=faults) as simulator, talking(simulator, path) as talk:
        simulator.clock.advance(24 * 60 * MINUTE - MINUTE)
        assert await talk.hear() == {"e": "serverShutdown", "E": simulator.clock.now()}
        simulator.clock.advance(MINUTE)
        assert await talk.ended() == 1001


async def test_the_announcement_is_a_stream_where_streams_are_combined() -> None:
    faults = SocketFaults(notice=MINUTE, life=MINUTE)
    async with at_noon(faults=faults) as simulator, talking(simulator, "/stream") as talk:
        assert (await talk.hear())["stream"] == "!serverShutdown"


@pytest.mark.parametrize(("path", "most"), [("/ws", 5), ("/market/ws", 10)])
async def test_binance_ends_a_connection_that_says_too_much_in_a_second(path: str, most: int) -> None:
    async with at_noon() as simulator, talking(simulator, path) as talk:
        for number in range(most):
            answer = await talk.ask({"method": "LIST_SUBSCRIPTIONS", "id": number})
            assert answer == {"result": [], "id": number}
        await talk.say({"method": "LIST_SUBSCRIPTIONS", "id": most})
        assert await talk.ended() == 1008


async def test_bitget_refuses_more_than_ten_messages_in_a_second() -> None:
    async with at_noon() as simulator, talking(simulator, "/v2/ws/public") as talk:
        for _ in range(10):
            await talk.say("ping")
            assert await talk.text() == "pong"
        assert (await talk.ask("ping"))["code"] == 30006
        simulator.clock.advance(1000)
        await talk.say("ping")
        assert await talk.text() == "pong"


async def test_binance_takes_1024_streams() -> None:
    names = [f"c{number}usdt@kline_1m" for number in range(1025)]
    async with at_noon() as simulator, talking(simulator, "/ws") as talk:
        assert (await talk.ask({"method": "SUBSCRIBE", "params": names[:1024], "id": 1}))["result"] is None
        await talk.say({"method": "SUBSCRIBE", "params": names[1024:], "id": 2})
        assert await talk.ended() == 1008


@BINGX
async def test_bingx_takes_200_topics(path: str) -> None:
    kind, unit = ("spot", "min") if path == "/market" else ("perpetual", "m")
    bases = [f"C{number}" for number in range(67)]
    markets = [Market(f"{base}USDT", base, "USDT", SparseMinutes(), listed=0, kind=kind) for base in bases]
    topics = [f"{base}-USDT@kline_{count}{unit}" for base in bases for count in (1, 3, 5)]
    faults = SocketFaults(heartbeat=None, mute={market.symbol for market in markets})
    simulator = Simulator(markets, SimulatorClock(NOON, frozen=True), Faults(sockets=faults))
    async with simulator, talking(simulator, path) as talk:
        answers = []
        for number, topic in enumerate(topics):
            simulator.clock.advance(1000 if number % 10 == 0 else 0)
            answers.append(await talk.ask({"id": "1", "reqType": "sub", "dataType": topic}))
    assert [answer["code"] for answer in answers] == [0] * 200 + [80403]
    assert answers[-1]["msg"] == "your topic num over max 200"


@BINGX
async def test_bingx_refuses_more_than_ten_subscriptions_in_a_second(path: str) -> None:
    async with at_noon() as simulator, talking(simulator, path) as talk:
        topic = "BTC-USDT@kline_1min" if path == "/market" else "BTC-USDT@kline_1m"
        codes = []
        for number in range(11):
            await talk.say({"id": str(number), "reqType": "sub", "dataType": topic})
            codes.append((await talk.until(lambda message: "id" in message))[-1]["code"])
    assert codes == [0] * 10 + [80403]


async def test_bitget_takes_4096_bytes_of_arguments() -> None:
    many = [channel(f"C{number}USDT") for number in range(80)]
    async with at_noon() as simulator, talking(simulator, "/v2/ws/public") as talk:
        assert (await talk.ask({"op": "subscribe", "args": many}))["code"] == 30007
        assert await talk.ended() == 1008


async def test_bitget_takes_1000_channels() -> None:
    bases = [f"C{number:02}" for number in range(92)]
    markets = [synthetic_market(base, "USDT", 0, price=1, volume=9, decimals=(2, 3)) for base in bases]
    intervals = ("1m", "5m", "15m", "30m", "1H", "4H", "6H", "12H", "1D", "1W", "1M")
    channels = [
        {"instType": "USDC-FUTURES", "channel": f"candle{interval}", "instId": f"{base}USDT"}
        for base in bases
        for interval in intervals
    ]
    clock = SimulatorClock(NOON, frozen=True)
    async with Simulator(markets, clock) as simulator, talking(simulator, "/v2/ws/public") as talk:
        for start in range(0, 1000, 40):
            simulator.clock.advance(1000)
            await talk.say({"op": "subscribe", "args": channels[start : start + 40]})
            assert {(await talk.hear())["event"] for _ in range(40)} == {"subscribe"}
        assert (await talk.ask({"op": "subscribe", "args": channels[1000:1001]}))["code"] == 30007
        assert await talk.ended() == 1008


async def test_bitget_takes_240_subscriptions_in_an_hour() -> None:
    request = {"op": "subscribe", "args": [channel("NOPE")]}
    async with at_noon() as simulator, talking(simulator, "/v2/ws/public") as talk:
        for _ in range(240):
            simulator.clock.advance(100)
            assert (await talk.ask(request))["code"] == 30001
        assert (await talk.ask(request))["code"] == 30007
        assert await talk.ended() == 1008


async def test_no_limit_holds_where_limits_are_off() -> None:
    async with at_noon(limits=False) as simulator, talking(simulator, "/ws") as talk:
        answers = [await talk.ask({"method": "LIST_SUBSCRIPTIONS", "id": number}) for number in range(50)]
    assert [answer["id"] for answer in answers] == list(range(50))


@pytest.mark.parametrize(("path", "attempts"), [("/ws", 300), ("/v2/ws/public", 300)])
async def test_more_than_300_attempts_in_five_minutes_are_refused(path: str, attempts: int) -> None:
    async with at_noon() as simulator, aiohttp.ClientSession() as session:
        for _ in range(attempts):
            await (await session.ws_connect(simulator.url + path)).close()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(simulator.url + path)
        simulator.clock.advance(5 * MINUTE)
        await (await session.ws_connect(simulator.url + path)).close()
    assert refusal.value.status == 429


@pytest.mark.parametrize(("path", "most"), [("/v2/ws/public", 100), ("/market", 60), ("/swap-market", 60)])
async def test_an_address_may_have_so_many_connections(path: str, most: int) -> None:
    unbounded = aiohttp.TCPConnector(limit=0)
    async with at_noon() as simulator, aiohttp.ClientSession(connector=unbounded) as session:
        sockets = [await session.ws_connect(simulator.url + path) for _ in range(most)]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(simulator.url + path)
        assert simulator.sockets == len(sockets)
        simulator.cut_sockets()
        for socket in sockets:
            await socket.close()
