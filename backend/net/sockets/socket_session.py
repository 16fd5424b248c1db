"""The messages on one open connection for pushed candles, from its beginning to its end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import aiohttp

from backend.clock import Clock
from backend.core.proxy import Proxy
from backend.errors import MalformedAnswer
from backend.exchanges.base import RateLimit
from backend.exchanges.sockets import Event, Farewell, Push, RefusedTopics, Reply, Socket
from backend.loops import Loops
from backend.net.rest.requester import Session
from backend.net.rest.throttle import Throttle
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

MOST_UNREADABLE = 5
"""After this many unreadable frames in a row the connection is closed."""

TICK = 1.0
"""Seconds between two looks at how a connection is."""

REMEMBERED = 1000
"""Number of our last messages in memory: the venue may still refuse them."""

MESSAGES = "messages"
ONE_MESSAGE = {MESSAGES: 1}
SHARE = 0.8
"""The part of a venue's limits to use."""


def paced(unit: str, capacity: int, seconds: float, clock: Clock) -> Throttle:
    """A window that allows a little less than the venue does."""
    return Throttle((RateLimit(unit, capacity, seconds),), SHARE, clock)


@dataclass(frozen=True, slots=True)
class SocketSetup:
    """The common facts of a market's connections."""

    exchange: str
    market: str
    socket: Socket
    url: str
    session: Session
    attempts: Throttle
    clock: Clock
    metrics: Metrics
    loops: Loops
    proxy: Proxy | None = None

    @property
    def name(self) -> str:
        """The market's name in log lines."""
        return f"{self.exchange} {self.market}"


class TopicCarrier(Protocol):
    """The user of a connection. `topics` are the wanted topics; `changed` is set when they change."""

    topics: frozenset[str]
    changed: asyncio.Event
    settled: asyncio.Event

    def pushed(self, push: Push) -> None: ...

    def refused(self, topic: str | None, message: str) -> None: ...

    def leave(self, reason: str) -> None: ...


class SocketSession:
    """Subscribes an open connection to a carrier's topics. `serve` runs as long as the connection."""

    def __init__(self, wire: SocketSetup, carrier: TopicCarrier, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire
        self._carrier = carrier
        self._ws = ws
        self._messages = paced(MESSAGES, wire.socket.messages_per_second, 1.0, wire.clock)
        self._asked: set[str] = set()
        self._sent: dict[int, list[str]] = {}
        self._pieces: deque[list[str]] = deque()
        self._frames = self._unreadable = 0
        self._warned = False
        self._opened_at = self._heard_at = self._pinged_at = wire.clock.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the connection was made."""
        return self._wire.clock.monotonic() - self._opened_at

    def forget(self, topic: str) -> None:
        """Forget a topic that the venue refuses."""
        self._asked.discard(topic)

    async def serve(self) -> str:
        """Receive, send and watch until one of the three says why the connection is over. Raises aiohttp's
        errors."""
        parts = [asyncio.create_task(part) for part in (self._hear(), self._tell(), self._mind())]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            return next(part for part in parts if part.done()).result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            self._count_frames()

    async def _hear(self) -> str:
        monotonic = self._wire.clock.monotonic
        async for message in self._ws:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return f"a frame broke it: {message.data}"
            self._heard_at = monotonic()
            self._frames += 1
            for event in self._events(message.data):
                if isinstance(event, Push):
                    self._carrier.pushed(event)
                elif isinstance(event, Reply):
                    await self._say_at_once(event.text)
                else:
                    self._take(event)
            if self._unreadable >= MOST_UNREADABLE:
                return f"{MOST_UNREADABLE} frames in a row cannot be read"
        return f"the exchange closed it ({self._ws.close_code})"

    def _events(self, data: str | bytes) -> Sequence[Event]:
        """The events in a frame; none for an unreadable frame, which is counted."""
        try:
            events = self._wire.socket.read(data)
        except MalformedAnswer as error:
            self._unreadable += 1
            self._wire.metrics.frame_unreadable(self._wire.exchange, self._wire.market)
            log.log(logging.DEBUG if self._warned else logging.WARNING, "%s", error)
            self._warned = True
            return ()
        self._unreadable = 0
        return events

    def _take(self, event: RefusedTopics | Farewell) -> None:
        if isinstance(event, Farewell):
            self._carrier.leave(event.reason)
        elif event.number in self._sent:
            self._narrow(self._sent.pop(event.number), event.message)
        elif event.topic is None or event.topic in self._carrier.topics:
            self._carrier.refused(event.topic, event.message)

    def _narrow(self, topics: list[str], message: str) -> None:
        """Find the refused topic of a message: send each half of it again."""
        if len(topics) == 1:
            self._carrier.refused(topics[0], message)
            return
        middle = len(topics) // 2
        self._pieces += (topics[:middle], topics[middle:])
        self._carrier.settled.clear()
        self._carrier.changed.set()

    async def _tell(self) -> str:
        """Subscribe and unsubscribe as the topics change, as fast as the venue allows."""
        number = 0
        while True:
            self._carrier.changed.clear()
            if said := self._next_message(number):
                number += 1
                await self._messages.acquire(ONE_MESSAGE)
                await self._ws.send_str(said)
            else:
                self._carrier.settled.set()
                await self._carrier.changed.wait()

    def _next_message(self, number: int) -> str:
        """The next message; none if the subscriptions are as wanted."""
        socket, topics = self._wire.socket, self._carrier.topics
        if gone := list(islice(self._asked - topics, socket.topics_per_message)):
            self._asked.difference_update(gone)
            return socket.unsubscribe(gone, number)
        if new := self._next_piece() or list(islice(topics - self._asked, socket.topics_per_message)):
            self._asked.update(new)
            self._sent[number] = new
            self._sent.pop(number - REMEMBERED, None)
            return socket.subscribe(new, number)
        return ""

    def _next_piece(self) -> list[str]:
        """The still wanted topics of a refused message."""
        while self._pieces:
            if piece := [topic for topic in self._pieces.popleft() if topic in self._carrier.topics]:
                return piece
        return []

    async def _mind(self) -> str:
        """Ping, and notice silence and age."""
        socket, monotonic = self._wire.socket, self._wire.clock.monotonic
        while True:
            await self._wire.clock.sleep(TICK)
            self._count_frames()
            if socket.quiet_after is not None and monotonic() - self._heard_at > socket.quiet_after:
                return f"nothing was heard for {socket.quiet_after:g} seconds"
            if socket.ping and monotonic() - self._pinged_at >= socket.ping_every:
                self._pinged_at = monotonic()
                await self._say_at_once(socket.ping)
            if self.age > socket.life:
                self._carrier.leave(f"it is {socket.life / 3600:g} hours old")

    async def _say_at_once(self, text: str) -> None:
        """Send an urgent message at once; others wait for it."""
        self._messages.reserve(ONE_MESSAGE, self._wire.clock.monotonic())
        await self._ws.send_str(text)

    def _count_frames(self) -> None:
        frames, self._frames = self._frames, 0
        self._wire.metrics.frames_came(self._wire.exchange, self._wire.market, frames)
