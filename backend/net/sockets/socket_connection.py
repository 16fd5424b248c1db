"""A connection for pushed candles. It reconnects whenever it breaks."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Set as AbstractSet
from typing import Protocol

import aiohttp

from backend.core.proxy import Proxy
from backend.exchanges.sockets import Push
from backend.net.proxies import UNREACHABLE, reason, through, way
from backend.net.rest.requester import Session
from backend.net.sockets.socket_session import SocketSession, SocketSetup

log = logging.getLogger(__name__)

OPENING_SECONDS = 10.0
CLOSING_SECONDS = 0.5
LARGEST_MESSAGE = 4 << 20

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
STEADY = 60.0
"""If a connection lasted this long (seconds), the next attempt comes as quickly as the first one."""

CONNECTIONS = "connections for pushed candles"
ATTEMPTS = "attempts"
ONE_ATTEMPT = {ATTEMPTS: 1}


def open_socket_session(user_agent: str, proxy: Proxy | None = None) -> Session:
    """A session for any number of connections, which may last for days."""
    return Session(
        timeout=aiohttp.ClientTimeout(total=None, connect=OPENING_SECONDS),
        headers={"User-Agent": user_agent},
        **way(proxy, limit=0),
    )


def pause_after(failures: int) -> float:
    """Seconds to wait before the next attempt. They are random, because many connections break at once."""
    longest = min(SHORTEST_PAUSE * 2.0 ** min(failures, 16), LONGEST_PAUSE)
    return random.uniform(longest / 2, longest)


class ConnectionOwner(Protocol):
    """Receives the events of a connection."""

    def pushed(self, push: Push) -> None: ...

    def refused(self, topic: str | None, message: str) -> None: ...

    def lost(self, link: SocketConnection, reason: str) -> None:
        """An open connection broke. It reconnects unless it has a successor."""

    def leaves(self, link: SocketConnection, reason: str) -> None:
        """The connection is about to end: give the link a successor."""


class SocketConnection:
    """Carries `topics`. `settled` is set while the open connection has subscribed to all of them.

    With a `successor` it continues until it is stopped or its connection ends. Implements
    `socket_session.TopicCarrier`.
    """

    def __init__(self, wire: SocketSetup, owner: ConnectionOwner, topics: AbstractSet[str]) -> None:
        self.topics = frozenset(topics)
        self.changed = asyncio.Event()
        self.settled = asyncio.Event()
        self.successor: SocketConnection | None = None
        self._wire = wire
        self._owner = owner
        self._talk: SocketSession | None = None
        self._troubled = False
        self._task = asyncio.create_task(self._run())

    def carry(self, topics: AbstractSet[str]) -> None:
        """Subscribe to exactly these topics from now on."""
        if topics != self.topics:
            self.topics = frozenset(topics)
            self.settled.clear()
            self.changed.set()

    def pushed(self, push: Push) -> None:
        """A candle came."""
        self._owner.pushed(push)

    def refused(self, topic: str | None, message: str) -> None:
        """The venue refuses a topic, or a message (None)."""
        if topic is not None:
            self.topics -= {topic}
            if self._talk is not None:
                self._talk.forget(topic)
        self._owner.refused(topic, message)

    def leave(self, reason: str) -> None:
        """The connection is about to end."""
        if self.successor is None:
            self._owner.leaves(self, reason)

    async def stop(self) -> None:
        """Close the connection, and do not reconnect."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.settled.set()

    async def _run(self) -> None:
        failures = 0
        while self.successor is None:
            reason = "an unexpected error"
            with self._wire.loops.surviving(CONNECTIONS):
                reason = await self._lasted()
            with self._wire.loops.surviving(CONNECTIONS):
                self._report(reason)
            if self._talk is not None and self._talk.age >= STEADY:
                failures = 0
            if self.successor is None:
                await self._wire.clock.sleep(pause_after(failures))
                failures += 1

    async def _lasted(self) -> str:
        """Keep one connection while it lasts. Returns why it ended, or could not be made."""
        self._talk = None
        try:
            return await self._connection()
        except UNREACHABLE as error:
            return reason(error) + through(self._wire.proxy)
        finally:
            self.settled.clear()

    async def _connection(self) -> str:
        wire = self._wire
        await wire.attempts.acquire(ONE_ATTEMPT)
        async with asyncio.timeout(OPENING_SECONDS):
            ws = await wire.session.ws_connect(
                wire.url, heartbeat=wire.socket.heartbeat, max_msg_size=LARGEST_MESSAGE
            )
        wire.metrics.socket_opened(wire.exchange, wire.market)
        try:
            self._talk = SocketSession(wire, self, ws)
            self._tell_return()
            return await self._talk.serve()
        finally:
            wire.metrics.socket_closed(wire.exchange, wire.market)
            await close_soon(ws)

    def _tell_return(self) -> None:
        if self._troubled:
            log.info("%s: the socket is connected again, with %d symbols", self._wire.name, len(self.topics))
        self._troubled = False

    def _report(self, reason: str) -> None:
        """Log that a connection ended: only once, even if many attempts fail after it."""
        self._wire.metrics.socket_lost(self._wire.exchange, self._wire.market)
        if not self._troubled:
            level = logging.WARNING if self.successor is None else logging.INFO
            log.log(level, "%s: no connection for %d symbols: %s", self._wire.name, len(self.topics), reason)
        self._troubled = True
        if self._talk is not None:
            self._owner.lost(self, reason)


async def close_soon(ws: aiohttp.ClientWebSocketResponse) -> None:
    """Send a close frame, but do not wait long for the venue's."""
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await ws.close()
    except TimeoutError:
        log.debug("an exchange closed a socket without a close frame")
