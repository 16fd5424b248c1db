"""A made-up venue that pushes candles over real WebSockets, for tests of whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web
from aiohttp.test_utils import RawTestServer

from backend.clock import SystemClock
from backend.core.candles import Candle
from backend.errors import MalformedAnswer, UnknownSymbol
from backend.exchanges.binance.market import SPOT
from backend.exchanges.sockets import Event, Farewell, Push, RefusedTopics, Reply, Socket
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.telemetry.metrics import Metrics
from tests.fakes import candle, minute
from tests.hurried import HurriedClock

PATIENCE = 60.0
"""Real seconds that anything may take."""

SPEED = 20.0


def read(frame: str | bytes) -> Sequence[Event]:
    """What the venue's frames mean: "push topic number closed", "no topic", "error number",
    "hey", "bye", "pong"."""
    match str(frame).split():
        case ["push", topic, number, closed]:
            return (Push(topic, candle(minute(int(number))), closed == "closed"),)
        case ["no", topic]:
            return (RefusedTopics(topic, "not served"),)
        case ["error", *number]:
            return (RefusedTopics(None, "what?", *map(int, number)),)
        case ["hey"]:
            return (Reply("ho"),)
        case ["bye"]:
            return (Farewell("maintenance"),)
        case ["pong"]:
            return ()
    raise MalformedAnswer(f"the venue says {frame!r}")


SOCKET = Socket(
    base_url="wss://venue.example",
    url_setting="VENUE_WS_URL",
    path="/push",
    topic=str.lower,
    subscribe=lambda topics, number: f"+ {number} {' '.join(topics)}",
    unsubscribe=lambda topics, number: f"- {number} {' '.join(topics)}",
    read=read,
    topics_per_connection=10,
    topics_per_message=4,
    messages_per_second=1000,
    attempts_per_minute=1000,
)


class PassingClock(HurriedClock):
    """A clock that hurries, and that a test may put forward."""

    def __init__(self, speed: float = SPEED) -> None:
        super().__init__(speed)
        self._passed = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds


@dataclass(eq=False)
class Line:
    """One connection as the venue sees it. Times are `clock`'s seconds."""

    ws: web.WebSocketResponse
    opened_at: float
    topics: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    said_at: list[float] = field(default_factory=list)

    async def push(self, topic: str, number: int = 0, closed: str = "forming") -> None:
        await self.ws.send_str(f"push {topic} {number} {closed}")


class Venue:
    """Serves `lines`; does as it is told.

    `handshake` is answered instead of the upgrade. It refuses the topics of `refuses`, and whole messages
    that ask for one of `rejects`.
    """

    def __init__(self, clock: PassingClock) -> None:
        self.lines: list[Line] = []
        self.attempts = 0
        self.handshake: int | None = None
        self.refuses: set[str] = set()
        self.rejects: set[str] = set()
        self.url = ""
        self._clock = clock

    @property
    def open(self) -> list[Line]:
        """The connections that are there."""
        return [line for line in self.lines if not line.ws.closed]

    @property
    def topics(self) -> set[str]:
        """Everything that is pushed now."""
        return {topic for line in self.open for topic in line.topics}

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.attempts += 1
        if self.handshake is not None:
            return web.Response(status=self.handshake)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        line = Line(ws, self._clock.monotonic())
        self.lines.append(line)
        async for message in ws:
            line.said.append(message.data)
            line.said_at.append(self._clock.monotonic())
            await self._obey(line, message.data)
        return ws

    async def _obey(self, line: Line, said: str) -> None:
        match said.split():
            case ["+", number, *topics] if self.rejects.intersection(topics):
                await line.ws.send_str(f"error {number}")
            case ["+", _, *topics]:
                line.topics.update(topics)
                for topic in self.refuses.intersection(topics):
                    await line.ws.send_str(f"no {topic}")
            case ["-", _, *topics]:
                line.topics.difference_update(topics)

    def cut(self, line: Line) -> None:
        """Reset a connection."""
        transport = line.ws._req.transport if line.ws._req else None
        assert transport is not None
        transport.abort()


class Ear:
    """Fits `services.ports.StreamListener`: writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Candle, bool]] = []
        self.lost: list[tuple[set[str], str]] = []
        self.wrong: Exception | None = None

    def on_candle(self, symbol: str, candle: Candle, *, closed: bool) -> None:
        self.heard.append((symbol, candle, closed))
        if wrong := self.wrong:
            self.wrong = None
            raise wrong

    def on_lost(self, symbols: Collection[str], reason: str) -> None:
        self.lost.append((set(symbols), reason))

    @property
    def symbols(self) -> list[str]:
        """Whose candles came, in order."""
        return [symbol for symbol, _, _ in self.heard]


class World:
    """A stream that listens to a venue."""

    def __init__(self, clock: PassingClock, venue: Venue, stream: MarketStream, metrics: Metrics) -> None:
        self.clock, self.venue, self.stream, self.metrics = clock, venue, stream, metrics
        self.ear = Ear()
        stream.start(self.ear)

    async def wants(self, *symbols: str) -> Line:
        """Have these pushed; the connection that was made first."""
        self.stream.want(symbols)
        await until(lambda: self.venue.topics == {symbol.lower() for symbol in symbols})
        return self.venue.lines[0]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""

    async def poll() -> None:
        while not condition():
            await SystemClock().sleep(0.002)

    await asyncio.wait_for(poll(), PATIENCE)


async def native(symbol: str) -> str:
    """The venue's spelling, unless it is called Nope."""
    if symbol == "NOPE":
        raise UnknownSymbol("the venue lists no NOPE")
    return symbol


@asynccontextmanager
async def world(
    socket: Socket = SOCKET,
    *,
    clock: PassingClock | None = None,
    native: Callable[[str], Awaitable[str]] = native,
) -> AsyncIterator[World]:
    """A venue and a stream that nobody wanted anything of yet."""
    clock, metrics = clock or PassingClock(), Metrics([("venue", "spot")])
    venue = Venue(clock)
    server = RawTestServer(venue.serve)
    await server.start_server()
    market = replace(SPOT, socket=socket)
    async with open_socket_session("tests") as session:
        url = str(server.make_url("")).rstrip("/")
        stream = MarketStream(
            exchange="venue",
            market=market,
            base_url=url,
            session=session,
            native=native,
            clock=clock,
            metrics=metrics,
        )
        try:
            yield World(clock, venue, stream, metrics)
        finally:
            await stream.stop()
            await server.close()
