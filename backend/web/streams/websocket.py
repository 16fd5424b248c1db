"""The same stream as a WebSocket: one JSON object a message. https://www.rfc-editor.org/rfc/rfc6455"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.routing import PathMatches
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from backend.errors import InvalidRequest, MarketDataError
from backend.services.service import Service
from backend.web.server.handler import ApiHandler
from backend.web.server.room import Room
from backend.web.streams.long_answer import is_taken
from backend.web.streams.server_sent_events import (
    TOO_SLOW,
    Opening,
    candles_opening,
    until_session_ends,
)
from backend.web.streams.stream_messages import Event, as_message
from backend.web.streams.stream_request import PATIENT, StreamTimes, Teller

LARGEST_MESSAGE = 1024
"""Largest message of a client, in bytes, although every message is refused."""

VERSION = "13"
SESSION_OVER = "the session is over: log in again"

GOING_AWAY, UNSUPPORTED, BROKEN_RULE, FAULT, LATER = 1001, 1003, 1008, 1011, 1013
"""https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number"""


class UpgradePath(PathMatches):
    """A path that accepts WebSocket upgrades."""

    def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
        wanted = request.method == "GET" and _is(request.headers, "Upgrade", "websocket")
        return super().match(request) if wanted else None


class SocketHandler(WebSocketHandler, ApiHandler):
    def initialize(self, service: Service, manners: StreamTimes = PATIENT) -> None:
        super().initialize(service)
        self._manners = manners
        self._gone = asyncio.get_running_loop().create_future()
        self._pinged = asyncio.get_running_loop().time()
        self._answered = True
        self._teller: Teller | None = None
        self._telling: asyncio.Task[None] | None = None

    @property
    def max_message_size(self) -> int:
        return LARGEST_MESSAGE

    def prepare(self) -> None:
        """Admit it like any request, and only from allowed pages: browsers let every page try."""
        super().prepare()
        if self._check_cross_origin(self.check_trusted_origin):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    async def get(self, *_path: str) -> None:
        """Refuse with HTTP if necessary. Then send until the connection is closed."""
        if problem := _problem(self.request.headers):
            self.set_header("Sec-WebSocket-Version", VERSION)
            self.answer_error(InvalidRequest(problem))
            return
        opening = self.opening()
        with self.room.place(self.client), until_session_ends(self, self._gone):
            await self._serve(await opening())

    @property
    def room(self) -> Room:
        """Where a client has a place."""
        return self.rooms.streams

    def opening(self) -> Opening:
        """Read the request; return a function that opens its stream."""
        return candles_opening(self)

    async def _serve(self, teller: Teller) -> None:
        self._teller = teller
        with teller.attending():
            await super().get()
            if self._telling:
                try:
                    await self._telling
                finally:
                    self._log()

    def open(self) -> None:
        self._telling = asyncio.create_task(self._tell())

    def on_message(self, message: str | bytes) -> None:  # noqa: ARG002
        self.close(UNSUPPORTED, "this stream accepts no messages: use the parameters of the address")

    def on_pong(self, data: bytes) -> None:  # noqa: ARG002
        self._answered = True

    def on_close(self) -> None:
        if not self._gone.done():
            self._gone.set_result(None)

    async def send(self, events: Sequence[Event]) -> None:
        sending = asyncio.create_task(self._write(events))
        try:
            taken = await is_taken(sending, self._gone, self._manners.slow)
        except WebSocketClosedError as error:
            raise StreamClosedError from error
        if not taken:
            self._drop(TOO_SLOW)

    async def breathe(self) -> float:
        """Send a ping, and drop a client that does not answer."""
        now, manners = asyncio.get_running_loop().time(), self._manners
        if self._answered and now - self._pinged >= manners.quiet:
            with suppress(WebSocketClosedError):
                self.ping()
            self._pinged, self._answered = now, False
        waited = now - self._pinged
        if not self._answered and waited >= manners.silent:
            self._drop("too slow: the client did not answer a ping in time")
        return (manners.quiet if waited < manners.quiet else manners.silent) - waited

    async def _tell(self) -> None:
        """Send until the end, and close with the reason."""
        assert self._teller is not None
        code, reason = FAULT, "a fault of the service"
        try:
            await self._teller.tell(self, self._gone)
            code, reason = GOING_AWAY, "the service is stopping"
            if self._gone.done():
                code, reason = BROKEN_RULE, SESSION_OVER
        except StreamClosedError:
            return
        except MarketDataError as error:
            self.failure = str(error)
            code, reason = LATER, error.code
        finally:
            self.close(code, reason)

    async def _write(self, events: Sequence[Event]) -> None:
        await asyncio.gather(*(self.write_message(as_message(event)) for event in events))

    def _drop(self, reason: str) -> None:
        self.failure = f"dropped: {reason}"
        self.close(BROKEN_RULE, reason)
        raise StreamClosedError

    def _log(self) -> None:
        """An upgraded request ends with its connection."""
        if self.get_status() != HTTPStatus.SWITCHING_PROTOCOLS or self._gone.done():
            super()._log()


def _problem(headers: Mapping[str, str]) -> str | None:
    """What is wrong with a handshake."""
    if headers.get("Sec-WebSocket-Version") != VERSION:
        return f"only version {VERSION} of the WebSocket protocol is supported"
    if not (
        headers.get("Sec-WebSocket-Key") and headers.get("Host") and _is(headers, "Connection", "upgrade")
    ):
        return "this WebSocket handshake is not complete: Connection, Host or Sec-WebSocket-Key is missing"
    return None


def _is(headers: Mapping[str, str], name: str, word: str) -> bool:
    """Whether a header that lists words has this one."""
    return word in (part.strip().lower() for part in headers.get(name, "").split(","))
