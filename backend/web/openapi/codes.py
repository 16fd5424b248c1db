"""Which error codes come with which status, and the answers that have them. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.openapi.parts import (
    HEADERS,
    JSON,
    TEXT,
    Json,
    answer_header,
    choice,
    const,
    errors,
    named,
    record,
)

CODES: dict[HTTPStatus, tuple[str, ...]] = {
    HTTPStatus.BAD_REQUEST: (
        *("missing_symbol", "invalid_symbol", "missing_exchange", "invalid_exchange", "unknown_exchange"),
        *("missing_market", "invalid_market", "unknown_market", "missing_time", "invalid_time"),
        *("invalid_time_range", "invalid_limit", "invalid_last", "contradictory_parameters"),
        *("unknown_interval", "unknown_format", "unknown_field", "unknown_order", "unknown_fill"),
        *(
            "unknown_time",
            "invalid_forming",
            "invalid_dry_run",
            "missing_start",
            "invalid_refresh",
            "invalid_symbols",
        ),
        *("invalid_wait", "invalid_status", "too_many_follows", "missing_series", "invalid_series"),
        *("invalid_last_event_id", "forming_unavailable", "unknown_parameter", "repeated_parameter"),
        *("invalid_json", "invalid_request"),
    ),
    HTTPStatus.UNAUTHORIZED: ("missing_key", "invalid_key"),
    HTTPStatus.FORBIDDEN: ("missing_scope", "address_not_allowed", "foreign_origin"),
    HTTPStatus.NOT_FOUND: ("unknown_symbol", "not_stored", "unknown_job", "not_followed", "unknown_route"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed",),
    HTTPStatus.CONFLICT: ("cancelled", "series_busy"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body_too_large",),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("uri_too_long",),
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: ("range_beyond_end",),
    HTTPStatus.MISDIRECTED_REQUEST: ("unknown_host",),
    HTTPStatus.TOO_MANY_REQUESTS: ("too_many_jobs", "too_many_streams", "too_many_requests"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("headers_too_large",),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("internal_error",),
    HTTPStatus.BAD_GATEWAY: ("exchange_refused", "region_blocked", "malformed_answer"),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        *("exchange_unavailable", "maintenance", "rate_limited", "banned"),
        *("database_unavailable", "interrupted", "lease_lost"),
    ),
}

ABOUT: dict[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request makes no sense: the message says what is accepted",
    HTTPStatus.UNAUTHORIZED: "A key is needed, or this one is unknown",
    HTTPStatus.FORBIDDEN: "This key, address or web page may not do that",
    HTTPStatus.NOT_FOUND: "There is no such symbol, series or job",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method",
    HTTPStatus.CONFLICT: "The series' job is under way, or was cancelled",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is over 64 KiB",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address is too long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "The file ends before that `Range`",
    HTTPStatus.MISDIRECTED_REQUEST: "The service is not called what `Host` says: see SERVER_NAMES",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests or streams, or too many jobs wait",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers are too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of the service: please report it",
    HTTPStatus.BAD_GATEWAY: "The exchange refused, or sent what nobody can read",
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
            "error": record({"code": choice(CODES[status]), "message": TEXT}),
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
        headers["Allow"] = answer_header("The methods that it takes")
    return {
        "description": ABOUT[status],
        "headers": headers,
        "content": {JSON: {"schema": body_of(status)}},
    }
