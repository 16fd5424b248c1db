"""A series: the one-minute candles of one symbol on one market of one exchange."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass

_SYMBOL = re.compile(r"[^\W_][\w\-.]{0,49}")
_SEPARATORS = re.compile(r"[-/]")


@dataclass(frozen=True, slots=True)
class Series:
    """For example binance, spot, BTCUSDT."""

    exchange: str
    market: str
    symbol: str

    @property
    def name(self) -> str:
        """The series' collection in MongoDB and its name in messages: "binance.spot.BTCUSDT"."""
        return f"{self.exchange}.{self.market}.{self.symbol}"


def canonical_symbol(text: str) -> str:
    """Bring a spelling to the canonical one: "btcusdt", "BTC-USDT", "BTC/USDT" -> "BTCUSDT".

    ValueError if no exchange could list such a name. Letters of any script pass: Binance lists such
    symbols since December 2025.
    """
    symbol = _SEPARATORS.sub("", text.strip().upper())
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(
            f"{reprlib.repr(text)} is no symbol: give 1 to 50 letters and digits, such as BTCUSDT"
        )
    return symbol
