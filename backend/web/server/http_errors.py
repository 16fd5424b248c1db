"""Refusals of HTTP itself, besides our own errors: statuses with their code and message."""

from __future__ import annotations

from http import HTTPStatus

LARGEST_BODY = 64 * 1024
LARGEST_HEADERS = 16 * 1024
LONGEST_URI = 8 * 1024

HTTP_ERRORS = {
    HTTPStatus.NOT_FOUND: ("unknown_route", "there is nothing at this address: see /docs for the routes"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "the route does not have this method"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body_too_large", f"the body is over {LARGEST_BODY} bytes"),
    HTTPStatus.BAD_REQUEST: ("invalid_request", "the request cannot be read"),
    HTTPStatus.FORBIDDEN: (
        "foreign_origin",
        "pages of this origin may not send this request: see CORS_ORIGINS",
    ),
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: ("range_beyond_end", "the file ends before this range"),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("uri_too_long", f"the address is over {LONGEST_URI} bytes"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "headers_too_large",
        f"the headers are over {LARGEST_HEADERS} bytes",
    ),
}


def error_body(code: str, message: str) -> dict[str, object]:
    """The one shape of all error answers."""
    return {"success": False, "error": {"code": code, "message": message}}
