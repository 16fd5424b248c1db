"""What passes between the HTTP server and an imitated exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html"


@dataclass(frozen=True, slots=True)
class Question:
    """A request: path, query parameters in the order sent, headers (names in lower case), and as private
    interfaces sign it: the query as it was sent, and the body."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply; `headers` come beside `Date`, `Content-Type` and the exchange's own."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


CUT = Answer(0, b"")
"""Stands for an answer that never went out: the connection was reset."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the rate limiter says of a request: weight counted, headers for its answer, a refusal if it is
    one."""

    weight: int
    headers: Mapping[str, str]
    refusal: Answer | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the simulator tells every exchange.

    `limited` is False where no exchange may refuse for its limits. `weight_limit` (None for no limit) and
    `patience` are Binance's. `cached_chunks` bounds the rendered candles that are kept per market kind.
    """

    limited: bool = True
    weight_limit: int | None = 6000
    patience: int = 10
    cached_chunks: int = 1000


class Venue(Protocol):
    """One imitated interface of an exchange."""

    def serves(self, path: str) -> bool:
        """Whether the path belongs to this venue."""

    def admit(self, question: Question) -> Admission:
        """Count the request's weight, then let it pass or refuse it."""

    def answer(self, question: Question) -> Answer:
        """Answer a request that was let pass."""

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return the venue's answer of a status that a fault asks for (`retry_after` in seconds)."""


def json_answer(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer that carries a JSON value."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, body, headers=headers or {})


def html_answer(status: int, title: str) -> Answer:
    """Return a short page, as proxies and firewalls in front of an exchange send it."""
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(status, page.encode(), content_type=HTML_TYPE)
