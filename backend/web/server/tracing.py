"""Which request a line in the log is about, and which route it took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import uuid4

from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Rule
from tornado.web import RequestHandler

REQUEST_ID = "X-Request-Id"
NO_ROUTE = "none"
SHOWN_OF_URI = 500
PLACEHOLDERS = {"(?:/(.*))?": "/{symbol}", "([^/]*)": "{id}", "(.*)": "{path}", "\\.": ".", "$": ""}

_SANE = re.compile(r"[A-Za-z0-9._\-]{1,64}")


def request_id(headers: Mapping[str, str]) -> str:
    """The client's own id of its request if it is valid, else a new one."""
    given = headers.get(REQUEST_ID, "")
    return given if _SANE.fullmatch(given) else uuid4().hex


def method_of(request: HTTPServerRequest) -> str:
    """The request's method; "other" for an unknown one."""
    return request.method if request.method in RequestHandler.SUPPORTED_METHODS else "other"


WEBHOOK = "/webhook/"


def uri_of(request: HTTPServerRequest) -> str:
    """The beginning of path and query, in ASCII: other characters could be commands to a terminal."""
    uri = request.uri or ""
    if WEBHOOK in uri:
        # A token may follow.
        uri = f"{uri.partition(WEBHOOK)[0]}{WEBHOOK}***"
    return uri[:SHOWN_OF_URI].encode("ascii", "backslashreplace").decode()


def route_of(handler: RequestHandler) -> str:
    """The route's pattern, such as "/api/data/{symbol}", whatever the request's path was."""
    rules = handler.application.wildcard_router.rules
    return next((_pattern(rule) for rule in rules if _took(handler, rule)), NO_ROUTE)


def _took(handler: RequestHandler, rule: Rule) -> bool:
    return rule.target is type(handler) and rule.matcher.match(handler.request) is not None


def _pattern(rule: Rule) -> str:
    assert isinstance(rule.matcher, PathMatches)
    pattern = rule.matcher.regex.pattern
    for group, placeholder in PLACEHOLDERS.items():
        pattern = pattern.replace(group, placeholder)
    return pattern
