"""A walk over all routes of the application, also over those that are yet to be written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from tornado.routing import PathMatches
from tornado.web import Application, RequestHandler

ENDLESS = frozenset(("/api/changes",))
"""Whose GET asks for nothing in particular, and has no end: tests/web/test_changes.py."""


def routes(app: Application, name: str = "x") -> Iterator[tuple[str, type[RequestHandler]]]:
    """A path that leads to each route, with `name` for whatever it takes, and its handler."""
    for rule in app.wildcard_router.rules:
        pattern = cast(PathMatches, rule.matcher).regex.pattern
        path = re.sub(r"\(\?:/\([^()]*\)\)\?", "/(x)", pattern).removesuffix("$")
        path = re.sub(r"\([^()]*\)", "\0", path).replace("\\", "")
        assert re.match(pattern, path.replace("\0", "x")), pattern
        yield path.replace("\0", name), cast(type[RequestHandler], rule.target)


def methods(handler: type[RequestHandler]) -> list[str]:
    """What a handler takes, but HEAD, which goes with GET, and preflight questions."""
    unimplemented = RequestHandler._unimplemented_method
    names = set(RequestHandler.SUPPORTED_METHODS) - {"OPTIONS", "HEAD"}
    return sorted(name for name in names if getattr(handler, name.lower()) is not unimplemented)
