"""One open socket: what it hears, what it is sent, when it is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMessage, WSMsgType, web

from tests.simulator.resets import reset
from tests.simulator.sockets.dialect import Dialect, Ending, Payload, Session, Topic

BACKLOG = 50_000
"""Messages that may wait for a client that does not read; then it is cut."""


class Ping(bytes):
    """The payload of a protocol ping."""


class Pong(bytes):
    """The payload of a protocol pong."""


class Connection:
    """A socket from its upgrade to its end; `changed` is called when its topics may be others."""

    def __init__(
        self,
        dialect: Dialect,
        session: Session,
        request: web.BaseRequest,
        changed: Callable[[Connection], None],
    ) -> None:
        self.dialect = dialect
        self.session = session
        self.opened = session.clock.now()
        self.received = 0
        self.sent = 0
        self._request = request
        self._changed = changed
        self._socket = web.WebSocketResponse(timeout=1.0, autoping=False, compress=False)
        self._queue: asyncio.Queue[Payload | Ping | Pong | Ending] = asyncio.Queue()
        self._next_ping = 0
        self._waiting: int | None = None
        self._warned = False
        self._jumps = session.clock.jumps

    async def run(self) -> web.WebSocketResponse:
        """Upgrade the request and talk until one side ends it."""
        await self._socket.prepare(self._request)
        self._begin_heartbeat(self.session.clock.now())
        sender = asyncio.create_task(self._send())
        try:
            self.dialect.opened(self.session)
            self._settle([])
            async for message in self._socket:
                self.received += 1
                self._take(message)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return self._socket

    def send(self, payload: Payload | Ping | Pong) -> None:
        """Queue a message."""
        if self.session.faults.silence:
            return
        self._queue.put_nowait(payload)
        if self._queue.qsize() > BACKLOG:
            self.cut()

    def push(self, topic: Topic, payload: Payload) -> None:
        """Queue a frame, wrapped where the connection has it so."""
        self.send(self.framed(topic, payload))

    def framed(self, topic: Topic, payload: Payload) -> Payload:
        """Return a frame as this connection gets it."""
        return self.dialect.wrapped(topic, payload) if self.session.combined else payload

    def cut(self) -> None:
        """Reset the connection."""
        reset(self._request)

    def beat(self, now: int) -> None:
        """Ping when it is time, give up a client that is silent or a connection that is too old."""
        faults, heartbeat = self.session.faults, self.dialect.heartbeat
        if faults.heartbeat is None or faults.silence or self._jumps != self.session.clock.jumps:
            self._begin_heartbeat(now)
        elif now - (self._since(now)) > heartbeat.within * faults.heartbeat:
            self._end(heartbeat.ending)
        elif heartbeat.ping and heartbeat.every and now >= self._next_ping:
            self._next_ping = now + int(heartbeat.every * faults.heartbeat)
            self._ping(heartbeat.ping(now), now)
        self._age(now)

    def _begin_heartbeat(self, now: int) -> None:
        self._jumps = self.session.clock.jumps
        self.session.alive, self._waiting = now, None
        self._next_ping = now + int(
            (self.dialect.heartbeat.every or 0) * (self.session.faults.heartbeat or 0)
        )

    def _since(self, now: int) -> int:
        """Return since when the client owes a sign of life."""
        if not self.dialect.heartbeat.from_ping:
            return self.session.alive
        return now if self._waiting is None else self._waiting

    def _ping(self, payload: Payload, now: int) -> None:
        if self.dialect.heartbeat.from_ping:
            assert isinstance(payload, bytes)
            self._waiting = now if self._waiting is None else self._waiting
            self.send(Ping(payload))
        else:
            self.send(payload)

    def _age(self, now: int) -> None:
        """End a connection that has lived as long as the venue lets it; say so before."""
        faults, farewell = self.session.faults, self.dialect.farewell
        if farewell is None or faults.life is None:
            return
        left = self.opened + faults.life - now
        if left <= 0:
            self._end(Ending(1001, "Connection is too old"))
        elif left <= faults.notice and not self._warned:
            self._warned = True
            self.send(farewell(self.session))

    def _take(self, message: WSMessage) -> None:
        refused = self.dialect.overrun(self.session)
        if refused is not None:
            self._settle(refused)
        elif message.type is WSMsgType.PING:
            if not self.session.faults.ignore_pings:
                self.send(Pong(message.data))
        elif message.type is WSMsgType.PONG:
            self._waiting = None
        elif message.type is WSMsgType.TEXT:
            self._settle(self.dialect.heard(message.data, self.session))

    def _settle(self, replies: list[Payload]) -> None:
        """Send the replies, take over the topics, end the connection if it was asked for."""
        for reply in replies:
            self.send(reply)
        self._changed(self)
        if self.session.ending is not None:
            self._end(self.session.ending)

    def _end(self, ending: Ending) -> None:
        if ending.code is None:
            self.cut()
        else:
            self._queue.put_nowait(ending)

    async def _send(self) -> None:
        while True:
            match await self._queue.get():
                case Ending(code=code, reason=reason):
                    await self._socket.close(code=code or 1000, message=reason.encode())
                    return
                case Ping() as payload:
                    await self._socket.ping(bytes(payload))
                case Pong() as payload:
                    await self._socket.pong(bytes(payload))
                case bytes() as payload:
                    await self._socket.send_bytes(payload)
                case str() as text:
                    await self._socket.send_str(text)
            self.sent += 1
