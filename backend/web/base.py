"""What all handlers share: reading requests, answering in JSON. The one place that knows HTTP statuses."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from math import ceil
from types import TracebackType
from typing import Any

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from backend.core.series import Series
from backend.errors import (
    Cancelled,
    DatabaseUnavailable,
    ExchangeError,
    ExchangeUnavailable,
    Interrupted,
    InvalidRequest,
    MarketDataError,
    NotFound,
    SeriesBusy,
    TooManyJobs,
    TooManyStreams,
)
from backend.logs import bind, bound
from backend.services.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET
from backend.services.service import Service
from backend.web import params
from backend.web.tracing import REQUEST_ID, method_of, request_id, route_of, uri_of

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024

STATUSES: tuple[tuple[type[MarketDataError], HTTPStatus], ...] = (
    (InvalidRequest, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (ExchangeUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (ExchangeError, HTTPStatus.BAD_GATEWAY),
    (DatabaseUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (Interrupted, HTTPStatus.SERVICE_UNAVAILABLE),
    (SeriesBusy, HTTPStatus.CONFLICT),
    (Cancelled, HTTPStatus.CONFLICT),
    (TooManyJobs, HTTPStatus.TOO_MANY_REQUESTS),
    (TooManyStreams, HTTPStatus.TOO_MANY_REQUESTS),
)
"""The first row that fits decides."""

HTTP_ERRORS = {
    HTTPStatus.NOT_FOUND: ("unknown_route", "there is nothing at this address: see the README for the API"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "this address does not take that method"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body_too_large", f"the body is over {LARGEST_BODY} bytes"),
    HTTPStatus.BAD_REQUEST: ("invalid_request", "the request cannot be read"),
}

Exception_ = tuple[type[BaseException], BaseException, TracebackType]


def status_of(error: MarketDataError) -> HTTPStatus:
    """The HTTP status for a deliberate error."""
    return next(
        (status for kind, status in STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
    )


def error_body(code: str, message: str) -> dict[str, object]:
    """The one shape of all error answers."""
    return {"success": False, "error": {"code": code, "message": message}}


@stream_request_body
class ApiHandler(RequestHandler):
    """Base of all handlers. Reads bodies itself, so that one that is too large is refused in JSON."""

    request_id = ""
    cut = False

    def initialize(self, service: Service) -> None:
        self.service = service
        self.failure = ""
        self._body = bytearray()

    def set_default_headers(self) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.clear_header("Server")
        self.request_id = self.request_id or request_id(self.request.headers)
        self.set_header(REQUEST_ID, self.request_id)

    def prepare(self) -> None:
        bind(request_id=self.request_id)
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > LARGEST_BODY:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk[: LARGEST_BODY + 1 - len(self._body)]

    def json_object(self, known: Collection[str]) -> dict[str, object]:
        """The body, a JSON object without names other than `known`."""
        if len(self._body) > LARGEST_BODY:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        values = params.json_object(bytes(self._body))
        params.only_known(values, known)
        return values

    def query(self, known: Collection[str]) -> dict[str, object]:
        """The query parameters, each given once and none other than `known`."""
        params.only_known(self.request.query_arguments, known)
        for name, values in self.request.query_arguments.items():
            if len(values) > 1:
                raise InvalidRequest(f"{name} is given {len(values)} times", code="repeated_parameter")
        return {name: self.get_query_argument(name) for name in self.request.query_arguments}

    def series(self, values: Mapping[str, object]) -> Series:
        """The series that `symbol`, `exchange` and `market` name."""
        return self.service.markets.series(
            params.text(values, "symbol"),
            params.text(values, "exchange", DEFAULT_EXCHANGE),
            params.text(values, "market", DEFAULT_MARKET),
        )

    def answer(self, body: dict[str, object], status: int = HTTPStatus.OK) -> None:
        self.set_status(status)
        self.finish(msgspec.json.encode(body))

    def answer_error(self, error: MarketDataError, more: Mapping[str, object] | None = None) -> None:
        """Answer with a deliberate error, perhaps with further keys beside it."""
        self.failure = str(error)
        if error.retry_after is not None:
            self.set_header("Retry-After", str(ceil(error.retry_after)))
        self.answer({**(more or {}), **error_body(error.code, self.failure)}, status_of(error))

    def send_error(self, status_code: int = HTTPStatus.INTERNAL_SERVER_ERROR, **kwargs: Any) -> None:
        """Answer with an error; where an answer has begun, cut it off so that it cannot pass for whole."""
        if self._headers_written:
            self._finished = self.cut = True
            self._log()
            if isinstance(connection := self.request.connection, HTTP1Connection):
                connection.close()
        else:
            super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = _raised(kwargs.get("exc_info"))
        if isinstance(error, MarketDataError):
            self.answer_error(error)
            return
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self._methods()))
        code, message = HTTP_ERRORS.get(
            HTTPStatus(status_code), ("internal_error", "something went wrong here")
        )
        self.answer(error_body(code, message), status_code)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Deliberate errors stand in the request's own line; the rest deserves a traceback."""
        if isinstance(value, MarketDataError | StreamClosedError):
            self.failure = str(value)
        else:
            super().log_exception(typ, value, tb)

    def _methods(self) -> Iterable[str]:
        unimplemented = RequestHandler._unimplemented_method
        return (
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not unimplemented
        )


def log_request(handler: RequestHandler) -> None:
    """One line a request, with what went wrong at its end; and its figures."""
    assert isinstance(handler, ApiHandler)
    request, code = handler.request, handler.get_status()
    method, route, seconds = method_of(request), route_of(handler), request.request_time()
    status = "cut" if handler.cut else str(code)
    handler.service.metrics.answered(method, route, status, seconds)
    with bound(request_id=handler.request_id):
        log.log(
            logging.ERROR if code >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO,
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
    """Any address that is no route."""

    def prepare(self) -> None:
        raise HTTPError(HTTPStatus.NOT_FOUND)


def _raised(exc_info: Exception_ | None) -> BaseException | None:
    return exc_info[1] if exc_info else None
