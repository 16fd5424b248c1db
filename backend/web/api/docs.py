"""`GET /openapi.json` and `GET /docs`: the description of the HTTP interface, for programs and for people."""

from __future__ import annotations

from functools import lru_cache

from backend.web.openapi.document import document, encoded
from backend.web.openapi.page import POLICY, page
from backend.web.server.handler import ApiHandler


class OpenApiHandler(ApiHandler):
    def get(self) -> None:
        self.query(())
        self.finish(encoded(tuple(self.service.markets.names()), self.base_path))


class DocsHandler(ApiHandler):
    def get(self) -> None:
        self.query(())
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Content-Security-Policy", POLICY)
        self.finish(rendered(tuple(self.service.markets.names()), self.base_path))


@lru_cache
def rendered(names: tuple[tuple[str, str], ...], base_path: str = "") -> bytes:
    """The page, made once."""
    return page(document(names, base_path)).encode()
