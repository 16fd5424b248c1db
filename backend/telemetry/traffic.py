"""The cause of requests to an exchange: counted where they are sent, for the work that needs them.

The network edge counts, and the starter of the work reads. Tasks of the work inherit its counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Sent requests, the repeated ones among them, and waits for a rate limit with their seconds."""

    requests: int = 0
    retries: int = 0
    waits: int = 0
    waited: float = 0.0


_current: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


@contextmanager
def counted() -> Iterator[Traffic]:
    """Count the requests of the work in the block."""
    traffic = Traffic()
    token = _current.set(traffic)
    try:
        yield traffic
    finally:
        _current.reset(token)


def current_traffic() -> Traffic:
    """The counter of the current work; without one, a counter that nobody reads."""
    return _current.get() or Traffic()
