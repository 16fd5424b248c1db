"""`GET /api/stream`: candles as they are stored, as server-sent events, with no hole before them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from tornado.iostream import StreamClosedError

from backend.services.service import Service
from backend.web.server.handler import ApiHandler
from backend.web.server.room import Room
from backend.web.streams.long_answer import is_taken
from backend.web.streams.stream_messages import Event, as_text
from backend.web.streams.stream_request import (
    PARAMETERS,
    PATIENT,
    Listener,
    StreamTimes,
    Teller,
    stream_request_of,
)

FAREWELL_SECONDS = 2.0
TOO_SLOW = "too slow: the client did not read in time"
DROPPED = b'event: dropped\ndata: {"reason":"%b"}\n\n' % TOO_SLOW.encode()


Opening = Callable[[], Awaitable[Teller]]


def candles_opening(handler: ApiHandler) -> Opening:
    """A function that opens the stream of candles of a request."""
    last, service = handler.request.headers.get("Last-Event-ID", ""), handler.service
    wish = stream_request_of(handler.query(PARAMETERS), last, service.markets, service.streaming.live)
    return partial(Listener.open, service, wish)


@contextmanager
def until_session_ends(handler: ApiHandler, gone: asyncio.Future[None]) -> Iterator[None]:
    """Let `gone` be done when the session ends by which a stream was opened: it does not outlive that."""
    sessions = handler.guard.sessions
    session = sessions.of(handler.request)
    left = sessions.seconds_left(session) if session else None
    timer = None if left is None else asyncio.get_running_loop().call_later(left, _end, gone)
    try:
        yield
    finally:
        if timer:
            timer.cancel()


def _end(gone: asyncio.Future[None]) -> None:
    if not gone.done():
        gone.set_result(None)


class StreamHandler(ApiHandler):
    greeting = b": candles follow\n\n"

    def initialize(self, service: Service, manners: StreamTimes = PATIENT) -> None:
        super().initialize(service)
        self._manners = manners
        self._quiet_since = 0.0

    async def get(self) -> None:
        opening = self.opening()
        with self.room.place(self.client), until_session_ends(self, self.gone):
            await self._tell(await opening())

    @property
    def room(self) -> Room:
        """Where a client has a place."""
        return self.rooms.streams

    def opening(self) -> Opening:
        """Read the request; return a function that opens its stream."""
        return candles_opening(self)

    async def _tell(self, teller: Teller) -> None:
        with teller.attending():
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("Cache-Control", "no-store")
            await self._send(self.greeting)
            await teller.tell(self, self.gone)

    async def send(self, events: Sequence[Event]) -> None:
        await self._send(as_text(events))

    async def breathe(self) -> float:
        """A comment keeps a quiet connection open."""
        left = self._quiet_since + self._manners.quiet - asyncio.get_running_loop().time()
        if left > 0:
            return left
        await self._send(b": still here\n\n")
        return self._manners.quiet

    async def _send(self, text: bytes) -> None:
        """Send and wait until the data is sent. A client that does not read in time is dropped."""
        if self.gone.done():
            raise StreamClosedError
        self.write(text)
        if not await is_taken(asyncio.ensure_future(self.flush()), self.gone, self._manners.slow):
            self.failure = f"dropped: {TOO_SLOW}"
            self.write(DROPPED)
            with suppress(StreamClosedError, TimeoutError):
                await asyncio.wait_for(asyncio.ensure_future(self.flush()), FAREWELL_SECONDS)
            raise StreamClosedError
        self._quiet_since = asyncio.get_running_loop().time()
