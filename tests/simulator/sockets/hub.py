"""All open sockets, and the one clockwork that moves their candles."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from aiohttp import web

from tests.simulator.archive import Archive
from tests.simulator.bitget_limits import Window
from tests.simulator.sockets import binance, bingx, bitget
from tests.simulator.sockets.connection import Connection
from tests.simulator.sockets.delivery import Delivery, Frame, Ways
from tests.simulator.sockets.dialect import Dialect
from tests.simulator.sockets.session import Session
from tests.simulator.sockets.switchboard import News, Switchboard
from tests.simulator.times import MINUTE

DIALECTS = (binance.SPOT, binance.PERPETUAL, binance.LEGACY, bitget.BITGET, bingx.SPOT, bingx.SWAP)
PAUSE = 0.01
"""Real seconds between two looks at the clock."""


class Hub:
    """The sockets of all venues over their archives, by exchange and market kind."""

    def __init__(self, archives: Mapping[str, Mapping[str, Archive]], *, limited: bool) -> None:
        self._archives = archives
        self._limited = limited
        self._clock = archives["binance"]["spot"].clock
        self._faults = archives["binance"]["spot"].faults
        self._connections: dict[Connection, Delivery] = {}
        self._board = Switchboard()
        self._attempts: dict[str, Window] = {}
        self._counts: Counter[str] = Counter()
        self._ticker: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def counts(self) -> dict[str, int]:
        """Return the open connections and, since the start, handshakes, refused ones, messages both ways."""
        totals = {name: self._counts[name] for name in ("handshakes", "refused", "received", "sent")}
        totals["received"] += sum(connection.received for connection in self._connections)
        totals["sent"] += sum(connection.sent for connection in self._connections)
        return {"open": self.open, **totals}

    def dialect(self, request: web.BaseRequest) -> Dialect | None:
        """Return whose socket a request asks for, None where it asks for none."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return None
        return next((dialect for dialect in DIALECTS if dialect.serves(request.path)), None)

    async def serve(self, dialect: Dialect, request: web.BaseRequest) -> web.StreamResponse:
        """Answer an upgrade and stay with the connection until it ends."""
        if (refusal := self._refusal(dialect)) is not None:
            self._counts["refused"] += 1
            return web.Response(status=refusal)
        self._counts["handshakes"] += 1
        session = Session(
            self._archives[dialect.exchange], self._limited, request.path, request.query.get("streams", "")
        )
        connection = Connection(dialect, session, request, self._board.follow)
        ways = Ways(connection.send, connection.cut, partial(self._board.stray, connection))
        self._connections[connection] = Delivery(self._faults, ways)
        self._tick_on()
        try:
            return await connection.run()
        finally:
            self._forget(connection)

    def cut(self) -> None:
        """Reset all connections."""
        for connection in list(self._connections):
            connection.cut()

    async def close(self) -> None:
        """Reset all connections and stop the clockwork."""
        self.cut()
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None

    def _refusal(self, dialect: Dialect) -> int | None:
        """Return the status that a handshake is refused with."""
        if self._faults.sockets.handshake_status is not None:
            return self._faults.sockets.handshake_status
        tried = self._attempts.setdefault(dialect.name, Window(5 * MINUTE)).take(self._clock.now())
        mine = sum(connection.dialect is dialect for connection in self._connections)
        many = dialect.attempts is not None and tried > dialect.attempts
        full = dialect.connections is not None and mine >= dialect.connections
        return 429 if self._limited and (many or full) else None

    def _forget(self, connection: Connection) -> None:
        connection.session.topics.clear()
        self._board.follow(connection)
        del self._connections[connection]
        self._counts["received"] += connection.received
        self._counts["sent"] += connection.sent

    def _tick_on(self) -> None:
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while self._connections:
            now = self._clock.now()
            for news in self._board.news(now):
                self._tell(news, now)
            for connection, delivery in list(self._connections.items()):
                delivery.step(now)
                connection.beat(now)
            await asyncio.sleep(PAUSE)

    def _tell(self, news: News, now: int) -> None:
        for connection in news.listeners:
            payload = connection.framed(news.topic, news.payload)
            frame = Frame(news.topic.name, news.shown.row.open_time, news.shown.closing, payload)
            self._connections[connection].offer(frame, now)
