"""Common parts of all handlers: reading requests, answering in JSON."""

from __future__ import annotations

import asyncio
import logging
import re
from asyncio import Future
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from types import TracebackType
from typing import Any

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from backend.core.series import Series
from backend.errors import InvalidRequest, MarketDataError
from backend.services.service import Service
from backend.telemetry.logs import bind, bound
from backend.web.server.common_parameters import EXCHANGE, MARKET, SYMBOL
from backend.web.server.guard import PREFLIGHT_HEADERS, Guard, challenge
from backend.web.server.http_errors import HTTP_ERRORS, LARGEST_BODY, LARGEST_HEADERS, LONGEST_URI, error_body
from backend.web.server.parameters import Parameter, Values, json_object, only_known
from backend.web.server.room import Rooms
from backend.web.server.tracing import REQUEST_ID, method_of, request_id, route_of, uri_of

log = logging.getLogger(__name__)

_LENGTH = re.compile(r"[0-9]{1,20}")

Exception_ = tuple[type[BaseException], BaseException, TracebackType]


def is_length(text: str) -> bool:
    """Whether a `Content-Length` is a number of bytes."""
    return _LENGTH.fullmatch(text) is not None


class HeadersSent(Exception):
    """Ends a HEAD after its headers."""


class Refused(HTTPError):
    """Answers a request that is not admitted, instead of its handler. `error` says why."""

    def __init__(self, error: MarketDataError) -> None:
        super().__init__(error.status)
        self.error = error


@stream_request_body
class ApiHandler(RequestHandler):
    """Base of all handlers. Reads bodies itself, so that the refusal of a large body is JSON."""

    request_id = ""
    cut = False
    largest_body = LARGEST_BODY
    """Bytes."""

    def __init_subclass__(cls) -> None:
        """A handler with GET also has HEAD."""
        super().__init_subclass__()
        if cls.get is not RequestHandler._unimplemented_method:
            cls.head = cls._head

    def initialize(self, service: Service) -> None:
        self.service = service
        self.failure = ""
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._body = bytearray()

    def on_connection_close(self) -> None:
        """`gone` tells the handler's work that the client has left."""
        super().on_connection_close()
        if not self.gone.done():
            self.gone.set_result(None)

    @property
    def rooms(self) -> Rooms:
        rooms: Rooms = self.settings["rooms"]
        return rooms

    @property
    def client(self) -> str:
        """The client for limits: a key, or an address (behind a trusted proxy the client's own)."""
        return self.guard.caller(self.request)

    def set_default_headers(self) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.clear_header("Server")
        self.request_id = self.request_id or request_id(self.request.headers)
        self.set_header(REQUEST_ID, self.request_id)
        for name, value in self.guard.headers(self.request):
            self.set_header(name, value)

    @property
    def guard(self) -> Guard:
        guard: Guard = self.settings["guard"]
        return guard

    @property
    def base_path(self) -> str:
        """The prefix of our paths in the addresses that clients use."""
        base_path: str = self.settings["base_path"]
        return base_path

    def prepare(self) -> None:
        """Admit the request, or refuse it. An override must call this first."""
        bind(request_id=self.request_id)
        if len(self.request.uri or "") > LONGEST_URI:
            raise HTTPError(HTTPStatus.REQUEST_URI_TOO_LONG)
        if _size(self.request.headers) > LARGEST_HEADERS:
            raise HTTPError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        try:
            self.guard.admit(self.request)
        except MarketDataError as error:
            raise Refused(error) from error
        length = self.request.headers.get("Content-Length", "0")
        if not is_length(length):
            raise HTTPError(HTTPStatus.BAD_REQUEST)
        if int(length) > self.largest_body:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def options(self, *_path: str) -> None:
        """Answer a browser's preflight request."""
        if not self.guard.is_preflight(self.request):
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        for name, value in PREFLIGHT_HEADERS:
            self.set_header(name, value)
        self.set_header("Access-Control-Allow-Methods", ", ".join(self._methods()))
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()

    def check_trusted_origin(self, origin: str) -> bool:
        """Tornado calls this before a web page of another origin changes something."""
        return self.guard.trusts(origin)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk[: self.largest_body + 1 - len(self._body)]

    def whole_body(self) -> bytes:
        """The body as it came."""
        if len(self._body) > self.largest_body:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return bytes(self._body)

    def json_object(self, known: Sequence[Parameter[Any]]) -> Values:
        """The body, a JSON object of parameters, none other than `known`."""
        values = json_object(self.whole_body())
        only_known(values, known)
        return Values(values)

    def query(self, known: Sequence[Parameter[Any]]) -> Values:
        """The query parameters, each given once and none other than `known`."""
        only_known(self.request.query_arguments, known)
        for name, values in self.request.query_arguments.items():
            if len(values) > 1:
                raise InvalidRequest(
                    f"{name} appears {len(values)} times: send it once", code="repeated_parameter"
                )
        return Values({name: self.get_query_argument(name) for name in self.request.query_arguments})

    def series(self, values: Values, symbol: str | None) -> Series:
        """The series that `symbol` of the address or the body, `exchange` and `market` name."""
        name = SYMBOL.read(SYMBOL.name, symbol)
        return self.service.markets.series(name, values[EXCHANGE], values[MARKET])

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send what was written; before the first byte, say how long it may be kept."""
        if not self._headers_written:
            if self.get_status() >= HTTPStatus.BAD_REQUEST:
                self.set_header("Cache-Control", "no-store")
            if self.guard.answers_differ_by_origin:
                self.add_header("Vary", "Origin")
        sent = super().flush(include_footers)
        if self.request.method == "HEAD" and not include_footers:
            raise HeadersSent
        return sent

    def headers_are_whole(self) -> None:
        """Call this before making a long body: a HEAD needs none."""
        if self.request.method == "HEAD":
            self.flush()

    async def _head(self, *path: str) -> None:
        """Do the same as GET without a body, up to the first piece of an answer in pieces."""
        try:
            if answering := self.get(*path):
                await answering
        except HeadersSent:
            self.finish()

    def answer(self, body: object, status: int = HTTPStatus.OK) -> None:
        self.set_status(status)
        self.finish(msgspec.json.encode(body))

    def answer_error(self, error: MarketDataError, more: Mapping[str, object] | None = None) -> None:
        """Answer with one of our own errors, perhaps with more keys beside it."""
        self.failure = str(error)
        if error.retry_after is not None:
            self.set_header("Retry-After", str(ceil(error.retry_after)))
        self.answer({**(more or {}), **error_body(error.code, self.failure)}, error.status)

    def answer_beyond_end(self) -> None:
        """Answer that a file does not have the wanted bytes; `Content-Range` says its length."""
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        self.answer(error_body(*HTTP_ERRORS[status]), status)

    def send_error(self, status_code: int = HTTPStatus.INTERNAL_SERVER_ERROR, **kwargs: Any) -> None:
        """Answer with an error. If an answer has begun, cut it off, so that it cannot look complete. A client
        that has left gets no answer, and that is not an error of ours."""
        if self._headers_written or self.gone.done():
            self._finished = self.cut = True
            self._log()
            if isinstance(connection := self.request.connection, HTTP1Connection):
                connection.close()
        else:
            super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = _raised(kwargs.get("exc_info"))
        if isinstance(error, Refused):
            error = error.error
        if isinstance(error, MarketDataError):
            if told := challenge(error):
                self.set_header("WWW-Authenticate", told)
            self.answer_error(error)
            return
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self._methods()))
        code, message = HTTP_ERRORS.get(
            HTTPStatus(status_code), (MarketDataError.code, "an unexpected error of the service: see its log")
        )
        if status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            message = f"the body is over {self.largest_body} bytes"
        self.answer(error_body(code, message), status_code)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Our own errors are in the request's log line; others get a traceback."""
        if isinstance(value, MarketDataError | StreamClosedError):
            self.failure = self.failure or str(value)
        elif isinstance(value, Refused):
            self.failure = str(value.error)
        else:
            super().log_exception(typ, value, tb)

    def _methods(self) -> Iterable[str]:
        unimplemented = RequestHandler._unimplemented_method
        return (
            method
            for method in self.SUPPORTED_METHODS
            if method != "OPTIONS" and getattr(type(self), method.lower()) is not unimplemented
        )


def _level(route: str, code: int) -> int:
    """Orchestrators send a health check every few seconds: only a bad answer is news."""
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    is_routine = route.startswith("/health") and code < HTTPStatus.BAD_REQUEST
    return logging.DEBUG if is_routine else logging.INFO


def log_request(handler: RequestHandler) -> None:
    """One line a request, with what went wrong at its end; and its figures."""
    assert isinstance(handler, ApiHandler)
    request, code = handler.request, handler.get_status()
    method, route, seconds = method_of(request), route_of(handler), request.request_time()
    status = "cut" if handler.cut else str(code)
    handler.service.running.metrics.answered(method, route, status, seconds)
    with bound(request_id=handler.request_id):
        log.log(
            _level(route, code),
            "%s %s %s %.1f ms%s",
            method,
            uri_of(request),
            status,
            seconds * 1000,
            f": {handler.failure}" if handler.failure else "",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                "address": request.remote_ip,
            },
        )


class UnknownRoute(ApiHandler):
    """Any unknown address."""

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(HTTPStatus.NOT_FOUND)


def _size(headers: HTTPHeaders) -> int:
    """The bytes of headers as they are sent: name, colon, space, value, end of line."""
    return sum(len(name) + len(value) + 4 for name, value in headers.get_all())


def _raised(exc_info: Exception_ | None) -> BaseException | None:
    return exc_info[1] if exc_info else None
