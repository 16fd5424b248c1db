"""The facts of a symbol that clients need before they read candles, as far as candles show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from backend.core.columns import Columns
from backend.core.series import Listing, Series
from backend.core.symbol_pair import split_symbol

DECIMALS = 8
"""Used if no candle shows more."""

MOST_DECIMALS = 18

DECIMALS_FROM = 100
"""Newest candles from which the decimals of prices and volumes are read."""


class Decimals(NamedTuple):
    """Of prices and of volumes."""

    price: int
    volume: int


@dataclass(frozen=True, slots=True)
class Instrument:
    """`price_decimals` and `volume_decimals` are the most decimals in the newest candles. They are not a
    trading rule.

    `listed` is the exchange's first candle, ms UTC, or the first stored one if that is unknown. `status` is
    the exchange's word, None if unknown.
    """

    symbol: str
    base: str
    quote: str
    price_decimals: int = DECIMALS
    volume_decimals: int = DECIMALS
    listed: int | None = None
    status: str | None = None


def decimals_of(newest: Columns) -> Decimals:
    """The most that candles show."""
    prices = (newest.open, newest.high, newest.low, newest.close)
    return Decimals(
        price=most_decimals(chain.from_iterable(column.tolist() for column in prices)),
        volume=most_decimals(newest.volume.tolist()),
    )


def instrument(series: Series, listed: int | None, decimals: Decimals) -> Instrument:
    """From stored candles. The quote is empty if the symbol does not show it."""
    return Instrument(
        series.symbol,
        *(split_symbol(series.symbol) or (series.symbol, "")),
        price_decimals=decimals.price,
        volume_decimals=decimals.volume,
        listed=listed,
    )


def of_listing(listing: Listing) -> Instrument:
    """From the exchange's list."""
    return Instrument(
        listing.symbol, listing.base, listing.quote, listed=listing.listed, status=listing.status
    )


def most_decimals(values: Iterable[float]) -> int:
    """How many decimals the longest of `values` has as a decimal number."""
    return max((min(_decimals(value), MOST_DECIMALS) for value in values), default=DECIMALS)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
