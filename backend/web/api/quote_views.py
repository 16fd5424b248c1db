"""The JSON of answers about prices now."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from backend.clock import iso
from backend.core import quotes
from backend.core.series import Series
from backend.services.shared_answers import SharedAnswer
from backend.web.api import quote_shapes
from backend.web.api.common_views import maybe_iso


def read(series: Series, told: SharedAnswer[Any]) -> dict[str, Any]:
    """The fields of `Quoted`."""
    return {
        "symbol": series.symbol,
        "exchange": series.exchange,
        "market": series.market,
        "read_at": iso(told.read),
        "age_ms": told.age,
    }


def ticker(told: quotes.Ticker) -> quote_shapes.Ticker:
    return quote_shapes.Ticker(
        last=f"{told.last:f}",
        bid=_text(told.bid),
        bid_size=_text(told.bid_size),
        ask=_text(told.ask),
        ask_size=_text(told.ask_size),
        open=_text(told.open),
        high=_text(told.high),
        low=_text(told.low),
        volume=_text(told.volume),
        quote_volume=_text(told.quote_volume),
        time=maybe_iso(told.time),
    )


def levels(told: Iterable[quotes.Level]) -> list[quote_shapes.Offer]:
    return [quote_shapes.Offer(price=f"{one.price:f}", size=f"{one.size:f}") for one in told]


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
