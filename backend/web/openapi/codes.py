"""The error codes of each status, and the answers with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from backend.errors import told_codes
from backend.web.api import (
    coverage,
    data_request,
    follow,
    importing,
    jobs,
    overview,
    quotes,
    removal,
    revisions,
    series,
    session,
    sync,
)
from backend.web.extended import extended_parameters
from backend.web.openapi.parts import HEADERS, JSON, answer_header, errors, named
from backend.web.server import common_parameters
from backend.web.server.http_errors import HTTP_ERRORS
from backend.web.server.json_schema import TEXT, Json, choice, const, record
from backend.web.server.parameters import Parameter
from backend.web.streams import stream_request
from backend.web.trading import (
    accounts,
    handler,
    history,
    order_parameters,
    readings,
    strategy_parameters,
    twaps,
)

ROUTES = (
    *(importing, coverage, data_request, follow, jobs, overview, quotes, removal),
    *(revisions, series, session, stream_request, sync),
    *(accounts, handler, history, order_parameters, readings, strategy_parameters, twaps),
    extended_parameters,
)
"""The modules whose routes declare parameters of their own."""


def parameters() -> Iterator[Parameter[Any]]:
    """All that are declared."""
    for module in (common_parameters, *ROUTES):
        yield from (one for one in vars(module).values() if isinstance(one, Parameter))


def _codes() -> dict[HTTPStatus, dict[str, str]]:
    by_status: dict[HTTPStatus, dict[str, str]] = {}
    for status, code, about in told_codes():
        by_status.setdefault(status, {})[code] = about
    for status, (code, message) in HTTP_ERRORS.items():
        by_status.setdefault(status, {}).setdefault(code, f"{message[0].upper()}{message[1:]}.")
    own = (code for one in parameters() for code in one.codes().items())
    by_status[HTTPStatus.BAD_REQUEST] = dict(own) | by_status[HTTPStatus.BAD_REQUEST]
    return dict(sorted(by_status.items()))


CODES = _codes()
"""What each code means, by status."""

ABOUT: dict[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request is not valid: the message says what is accepted",
    HTTPStatus.UNAUTHORIZED: "The request has no key, or an unknown key",
    HTTPStatus.FORBIDDEN: "This key, address or web page may not send this request",
    HTTPStatus.NOT_FOUND: "There is no such symbol, series, job or account",
    HTTPStatus.METHOD_NOT_ALLOWED: "The route does not have this method",
    HTTPStatus.CONFLICT: "The series' job is running, or was cancelled",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is over 64 KiB",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address is too long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "The file ends before this `Range`",
    HTTPStatus.MISDIRECTED_REQUEST: "`Host` is not a name of this service: see SERVER_NAMES",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests, streams or waiting jobs",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers are too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of the service: please report it",
    HTTPStatus.BAD_GATEWAY: "The exchange refused, or its answer cannot be read",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database or the exchange is away, or the service is stopping",
}

ANYWHERE = (
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
)
GUARDED = (*ANYWHERE, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)

EVERYWHERE = errors(*ANYWHERE)
"""What any route may answer, also one that is open to all."""

UNLOCKED = errors(
    *ANYWHERE, HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR
)
"""What a route may answer that needs no key but is no health either."""

AT_THE_DOOR = errors(*GUARDED)
"""What any route may answer that a key can be needed for."""

ALWAYS = AT_THE_DOOR | errors(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
"""What any route of ours may answer."""

STORED = ALWAYS | errors(HTTPStatus.SERVICE_UNAVAILABLE)
"""What a route may answer that asks the database."""


def body_of(status: HTTPStatus) -> Json:
    """The one shape of errors, with the codes of a status."""
    return record(
        {
            "success": const(False),
            "error": record({"code": choice(list(CODES[status])), "message": TEXT}),
        }
    )


def responses() -> dict[str, Json]:
    """The answers that `parts.error` refers to."""
    return {named(status): _response(status) for status in CODES}


def _response(status: HTTPStatus) -> Json:
    headers = dict(HEADERS)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = answer_header("Seconds to wait, where they are known")
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = answer_header("How to send a key")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = answer_header("The methods that the route has")
    return {
        "description": ABOUT[status],
        "headers": headers,
        "content": {JSON: {"schema": body_of(status)}},
    }
