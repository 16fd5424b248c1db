"""The sockets of one market: which connection carries which candles, and what replaces a lost one."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from backend.clock import Clock
from backend.core.candles import Candle
from backend.core.proxy import Proxy
from backend.errors import ExchangeError, UnknownSymbol
from backend.exchanges.base import Market
from backend.exchanges.sockets import Push
from backend.loops import Loops
from backend.net.rest.requester import Session
from backend.net.sockets.socket_connection import ATTEMPTS, SocketConnection
from backend.net.sockets.socket_session import SocketSetup, paced
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

ROUND = 0.5
"""Seconds between two looks at the wanted symbols. Faster changes cost nothing."""

SHORTEST_REFUSAL, LONGEST_REFUSAL = 15.0, 600.0
"""Seconds until a symbol is asked for again that the venue refused: at first, and at most. Each refusal is
believed four times as long: the first ones may be meant for the moment, since venues refuse haste alike."""

RELISTING_PAUSE = 30.0
"""Seconds until the next attempt for a symbol without a known name."""

OVERLAP = 5.0
"""Seconds for which a connection stays open after its successor has subscribed to everything."""


class Listener(Protocol):
    """Receives a stream's events, as `services.ports.StreamListener`."""

    def on_candle(self, symbol: str, candle: Candle, *, closed: bool) -> None: ...

    def on_lost(self, symbols: Collection[str], reason: str) -> None: ...


def spread(carried: Sequence[AbstractSet[str]], topics: AbstractSet[str], most: int) -> list[set[str]]:
    """What each connection carries next: as few changes and connections as possible, `most` topics each.

    New connections are at the end. A connection with an empty set is no longer needed.
    """
    kept = [set(one & topics) for one in carried]
    free = sorted(frozenset(topics).difference(*kept))
    for one in kept:
        room = most - len(one)
        one.update(free[:room])
        del free[:room]
    return kept + [set(free[first : first + most]) for first in range(0, len(free), most)]


class MarketStream:
    """Fits `services.ports.CandleStream`. `native` turns our spelling of a symbol into the venue's.

    It raises UnknownSymbol or ExchangeError.
    """

    def __init__(
        self,
        *,
        exchange: str,
        market: Market,
        base_url: str,
        session: Session,
        native: Callable[[str], Awaitable[str]],
        clock: Clock,
        metrics: Metrics,
        proxy: Proxy | None = None,
        loops: Loops | None = None,
    ) -> None:
        socket = market.socket
        assert socket is not None
        attempts = paced(ATTEMPTS, socket.attempts_per_minute, 60.0, clock)
        url = base_url + socket.path
        self._loops = loops or Loops(clock, metrics)
        self._wire = SocketSetup(
            exchange, market.name, socket, url, session, attempts, clock, metrics, self._loops, proxy
        )
        self._native = native
        self._clock = clock
        self._listener: Listener | None = None
        self._wanted: frozenset[str] = frozenset()
        self._look_at = math.inf
        self._refused_until: dict[str, float] = {}
        self._refusals: Counter[str] = Counter()
        self._topics: dict[str, str] = {}
        self._symbols: dict[str, str] = {}
        self._links: list[SocketConnection] = []
        self._leaving: set[SocketConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, symbols: Collection[str]) -> None:
        """Subscribe to exactly these symbols, in our spelling; returns at once."""
        wanted = frozenset(symbols)
        if wanted != self._wanted:
            self._wanted = wanted
            self._look_at = 0.0

    def start(self, listener: Listener) -> None:
        """Keep connections from now on, and pass their events to `listener`."""
        self._listener = listener
        self._own(self._loops.start(f"sockets of {self._wire.name}", self._arrange_when_due))

    async def stop(self) -> None:
        """Close all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _stop([*self._links, *self._leaving])
        self._links, self._listener = [], None
        self._leaving.clear()

    def pushed(self, push: Push) -> None:
        """Pass on a candle, unless nobody wants it."""
        symbol = self._symbols.get(push.topic)
        if symbol is not None and self._listener is not None:
            self._listener.on_candle(symbol, push.candle, closed=push.closed)

    def refused(self, topic: str | None, message: str) -> None:
        """Wait before the next attempt for a refused topic."""
        if topic is None:
            log.warning("%s: the exchange refused a socket message: %s", self._wire.name, message)
            return
        self._look_at = 0.0
        if (symbol := self._symbols.pop(topic, None)) is not None:
            self._refuse(symbol, message)

    def lost(self, link: SocketConnection, reason: str) -> None:
        """Report symbols without candles, unless another connection brings them already."""
        if link.successor is None or not link.successor.settled.is_set():
            self._tell_lost([self._symbols[topic] for topic in link.topics if topic in self._symbols], reason)

    def leaves(self, link: SocketConnection, reason: str) -> None:
        """Let a new connection take over before `link` ends."""
        if link not in self._links:
            return
        log.info("%s: the service renews a socket connection: %s", self._wire.name, reason)
        link.successor = successor = SocketConnection(self._wire, self, link.topics)
        self._links[self._links.index(link)] = successor
        self._leaving.add(link)
        self._own(self._take_over(link, successor))

    async def _take_over(self, link: SocketConnection, successor: SocketConnection) -> None:
        await successor.settled.wait()
        await self._clock.sleep(OVERLAP)
        await link.stop()
        self._leaving.discard(link)

    async def _arrange_when_due(self) -> None:
        await self._clock.sleep(ROUND)
        if self._look_at <= self._clock.monotonic():
            try:
                await self._arrange()
            except Exception:
                self._look_at = 0.0
                raise

    async def _arrange(self) -> None:
        """Distribute the wanted topics over connections. Close connections without topics."""
        self._look_at = math.inf
        topics = await self._wanted_topics()
        self._symbols = {topic: symbol for symbol, topic in topics.items()}
        most = self._wire.socket.topics_per_connection
        shares = spread([link.topics for link in self._links], self._symbols.keys(), most)
        for link, share in zip(self._links, shares, strict=False):
            link.carry(share)
        self._links += [SocketConnection(self._wire, self, share) for share in shares[len(self._links) :]]
        idle = [link for link in self._links if not link.topics]
        self._links = [link for link in self._links if link.topics]
        await _stop(idle)

    async def _wanted_topics(self) -> dict[str, str]:
        """The topic of each wanted symbol, except refused ones and those without a known name."""
        wanted, now = self._wanted, self._clock.monotonic()
        self._refused_until = {one: until for one, until in self._refused_until.items() if until > now}
        self._topics = {one: topic for one, topic in self._topics.items() if one in wanted}
        await self._name(sorted(wanted - self._topics.keys() - self._refused_until.keys()))
        self._look_at = min(self._look_at, *self._refused_until.values(), math.inf)
        return {one: topic for one, topic in self._topics.items() if one not in self._refused_until}

    async def _name(self, symbols: Iterable[str]) -> None:
        """Find out the topics of symbols."""
        for symbol in symbols:
            try:
                self._topics[symbol] = self._wire.socket.topic(await self._native(symbol))
            except UnknownSymbol as error:
                self._refuse(symbol, str(error))
            except ExchangeError as error:
                log.info("%s: the sockets cannot subscribe to candles yet: %s", self._wire.name, error)
                self._look_at = min(self._look_at, self._clock.monotonic() + RELISTING_PAUSE)
                return

    def _refuse(self, symbol: str, message: str) -> None:
        lasts = min(SHORTEST_REFUSAL * 4.0 ** self._refusals[symbol], LONGEST_REFUSAL)
        until = self._refused_until[symbol] = self._clock.monotonic() + lasts
        self._look_at = min(self._look_at, until)
        level = logging.DEBUG if symbol in self._refusals else logging.WARNING
        log.log(level, "%s pushes no candles of %s: %s", self._wire.name, symbol, message)
        self._refusals[symbol] = min(self._refusals[symbol] + 1, 8)
        self._tell_lost([symbol], message)

    def _tell_lost(self, symbols: Collection[str], reason: str) -> None:
        if symbols and self._listener is not None:
            self._listener.on_lost(symbols, reason)

    def _own(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _stop(links: Iterable[SocketConnection]) -> None:
    await asyncio.gather(*(link.stop() for link in links))
