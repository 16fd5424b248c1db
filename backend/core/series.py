"""A series: the one-minute candles of one symbol on one market of one exchange."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass
from typing import NamedTuple

MARK_PRICES, INDEX_PRICES = "perpetual-mark", "perpetual-index"
"""The names of the markets whose candles are the prices at which perpetuals are valued, and of which their
value is made: nobody trades there, so their volume is 0."""

PRICES_ONLY = frozenset((MARK_PRICES, INDEX_PRICES))

_SYMBOL = re.compile(r"[^\W_][\w\-.]{0,49}")
_SEPARATORS = re.compile(r"[-/]")
_SETTLEMENT = re.compile(r":\w+$")


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


def series_text(series: Series) -> str:
    """A series as it is written on the command line and in settings: "binance:spot:BTCUSDT"."""
    return f"{series.exchange}:{series.market}:{series.symbol}"


class Listing(NamedTuple):
    """A symbol that an exchange lists.

    `symbol` is our spelling and `native` the venue's own. `status` is the venue's word. `listed` is the start
    of trading in ms as the venue publishes it, which may be inexact; None if it does not.
    """

    symbol: str
    native: str
    base: str
    quote: str
    status: str
    listed: int | None = None


def canonical_symbol(text: str, separator: str = "") -> str:
    """Bring a spelling to ours: "btcusdt", "BTC-USDT", "BTC/USDT", "BTC/USDT:USDT" -> "BTCUSDT".

    With a `separator` it stays between base and quote: "BTC/USD" -> "BTC-USD". ValueError if no exchange
    could list such a name. Letters of any script pass: Binance lists such symbols since December 2025.
    """
    symbol = _SEPARATORS.sub(separator, _SETTLEMENT.sub("", text.strip().upper()))
    # A series is a collection of that name: the database takes none with an empty part.
    if not _SYMBOL.fullmatch(symbol) or "" in symbol.split("."):
        raise ValueError(
            f"{reprlib.repr(text)} is not a symbol: use 1 to 50 letters and digits, such as BTCUSDT"
        )
    return symbol
