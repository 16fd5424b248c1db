"""One open socket: what it hears, what it is sent, when it is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMessage, WSMsgType, web

from tests.simulator.resets import reset
from tests.simulator.sockets.dialect import Dialect
from tests.simulator.sockets.pulse import Ping, Pulse
from tests.simulator.sockets.session import Ending, Payload, Session, Topic

BACKLOG = 50_000
"""Messages that may wait for a client that does not read; then it is cut."""


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
        self.received = 0
        self.sent = 0
        self._request = request
        self._changed = changed
        self._socket = web.WebSocketResponse(timeout=1.0, autoping=False, compress=False)
        self._queue: asyncio.Queue[Payload | Ping | Pong | Ending] = asyncio.Queue()
        self._pulse = Pulse(dialect, session)
        self._ended = False

    async def run(self) -> web.WebSocketResponse:
        """Upgrade the request and talk until one side ends it."""
        await self._socket.prepare(self._request)
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

    def framed(self, topic: Topic, payload: Payload) -> Payload:
        """Return a frame as this connection gets it."""
        return self.dialect.wrapped(topic, payload) if self.session.combined else payload

    def cut(self) -> None:
        """Reset the connection."""
        reset(self._request)

    def beat(self, now: int) -> None:
        """Send the heartbeat that is due, or end the connection."""
        for due in self._pulse.step(now):
            if isinstance(due, Ending):
                self._end(due)
            else:
                self.send(due)

    def _take(self, message: WSMessage) -> None:
        refused = self.dialect.overrun(self.session)
        if refused is not None:
            self._settle(refused)
        elif message.type is WSMsgType.PING:
            if not self.session.faults.ignore_pings:
                self.send(Pong(message.data))
        elif message.type is WSMsgType.PONG:
            self._pulse.answered(bytes(message.data))
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
        """End the connection once, after what is queued."""
        if self._ended:
            return
        self._ended = True
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
