"""A walk over all routes of the application, also over those that are yet to be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from tornado.routing import PathMatches
from tornado.web import Application, RequestHandler

from backend.web.server.tracing import PLACEHOLDERS


def routes(application: Application) -> Iterator[tuple[str, type[RequestHandler]]]:
    """The pattern of each route, such as "/api/data/{symbol}", and its handler."""
    for rule in application.wildcard_router.rules:
        pattern = cast(PathMatches, rule.matcher).regex.pattern
        for group, placeholder in PLACEHOLDERS.items():
            pattern = pattern.replace(group, placeholder)
        yield pattern, cast(type[RequestHandler], rule.target)


def methods(handler: type[RequestHandler]) -> set[str]:
    """What a handler takes, in lower case, but HEAD, which goes with GET, and a browser's questions."""
    unimplemented = RequestHandler._unimplemented_method
    names = {name.lower() for name in RequestHandler.SUPPORTED_METHODS} - {"options", "head"}
    return {name for name in names if getattr(handler, name) is not unimplemented}
