"""Which asset is traded for which: the two halves of a symbol, from its spelling alone.

The exchange's listing is exact. This is for readers that must not depend on the exchange.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

QUOTES = (
    *("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "USDE", "USD1", "USDS", "RLUSD", "XUSD", "BFUSD"),
    *("BTC", "ETH", "BNB", "BGB", "SOL", "XRP", "TRX", "DOGE", "DAI", "PAX", "UST", "VAI", "DOT"),
    *("USD", "EUR", "EURI", "AEUR", "TRY", "BRL", "GBP", "JPY", "AUD", "RUB", "UAH", "ARS", "MXN"),
    *("COP", "CZK", "PLN", "RON", "ZAR", "IDR", "IDRT", "NGN", "BIDR", "BKRW", "BVND"),
)
"""Assets in which the venues quote prices, or once did."""

_LONGEST_FIRST = sorted(QUOTES, key=len, reverse=True)
_SEPARATOR = re.compile(r"[-/]")


class Pair(NamedTuple):
    """For example BTC, USDT."""

    base: str
    quote: str


@lru_cache(maxsize=20_000)
def split_symbol(symbol: str) -> Pair | None:
    """Cut "BTCUSDT" and "BTC-USD" to their halves; None where no known quote asset ends the symbol."""
    halves = _SEPARATOR.split(symbol)
    if len(halves) == 2 and all(halves):
        return Pair(*halves)
    return next(iter(splits(symbol)), None)


def splits(symbol: str) -> list[Pair]:
    """All ways to cut a symbol that is written without a separator, that with the longest quote first."""
    return [
        Pair(symbol.removesuffix(quote), quote)
        for quote in _LONGEST_FIRST
        if symbol.endswith(quote) and symbol != quote
    ]
