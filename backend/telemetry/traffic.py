"""Who caused a request to an exchange: counted where it is sent, for the piece of work that needed it.

The network edge counts, and whoever began the work reads. Tasks that the work starts inherit its counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Requests sent, how many of them were sent again, and waits for a rate limit with their seconds."""

    requests: int = 0
    retries: int = 0
    waits: int = 0
    waited: float = 0.0


_current: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


@contextmanager
def counted() -> Iterator[Traffic]:
    """Count what the work inside sends."""
    traffic = Traffic()
    token = _current.set(traffic)
    try:
        yield traffic
    finally:
        _current.reset(token)


def current_traffic() -> Traffic:
    """The counter of the work that is under way; one that nobody reads where there is none."""
    return _current.get() or Traffic()
