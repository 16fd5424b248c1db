"""Counts requests to exchanges by their result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.clock import Clock
from backend.errors import MarketDataError
from backend.telemetry.metrics import Metrics


@dataclass(slots=True)
class Attempt:
    """One request. `status` is the answer's status, "none" until there is an answer."""

    status: str = "none"


@contextmanager
def counted_attempt(metrics: Metrics, exchange: str, market: str, clock: Clock) -> Iterator[Attempt]:
    """Count the request in the block: "ok" on success, else our error's code."""
    attempt, outcome, began = Attempt(), "cancelled", clock.monotonic()
    try:
        yield attempt
        outcome = "ok"
    except MarketDataError as error:
        outcome = error.code
        raise
    finally:
        metrics.asked(exchange, market, attempt.status, outcome, clock.monotonic() - began)
