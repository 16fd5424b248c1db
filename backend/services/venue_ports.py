"""What the use cases need of exchanges, as shapes that `net` fits. `app/` introduces them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from backend.core.archive_file import ArchiveFile
from backend.core.candles import Candle
from backend.core.quotes import FundingPaid, FundingRate, MarketTrade, OrderBook, Ticker
from backend.core.series import Listing
from backend.core.windows import Spans, Window


class CandleSource(Protocol):
    """One market of one exchange. Every call may raise ExchangeError or UnknownSymbol."""

    def canonical(self, text: str) -> str:
        """Our spelling of a symbol; ValueError if no symbol can be called so."""

    def page_size(self, age: int) -> int:
        """The most minutes that one call of `candles` may ask for when the oldest opened `age` ms ago."""

    async def symbols(self) -> Mapping[str, Listing]:
        """The exchange's list, by our spelling; the copy may be some time old."""

    def known_status(self, symbol: str) -> str | None:
        """The venue's word for the state of a symbol, from the list in memory.

        For a symbol that is not in the list: the venue's word for one that is no longer traded.
        """

    async def ensure_known(self, symbol: str) -> None:
        """Raise UnknownSymbol unless the exchange lists `symbol`, or answers a question about its candles."""

    async def is_traded(self, symbol: str) -> bool:
        """Whether the exchange lists `symbol` now, as one that is traded."""

    async def candles(self, symbol: str, window: Window) -> Sequence[Candle]:
        """The exchange's rows for `window`: in any order, with gaps, duplicates and rows outside."""

    async def first_candle(self, symbol: str, known: int | None = None) -> int | None:
        """Open time of the exchange's oldest candle, None if it has none; `known` is an earlier result."""

    async def now(self) -> int:
        """The exchange's time, ms; if inexact, late rather than early."""

    def known_now(self) -> int | None:
        """The exchange's time without a request, None if unknown."""


class QuoteSource(Protocol):
    """The prices of one market now. Every call may raise ExchangeError or UnknownSymbol."""

    async def ticker(self, symbol: str) -> Ticker:
        """The last price, the best offers and the day."""

    async def order_book(self, symbol: str, levels: int) -> OrderBook:
        """The best offers, up to `levels` a side where the venue tells so many."""

    async def trades(self, symbol: str) -> Sequence[MarketTrade]:
        """The newest trades, the newest first."""

    async def funding(self, symbol: str) -> FundingRate | None:
        """What positions pay next, None where nothing is paid."""

    async def funding_paid(self, symbol: str, start: int, end: int) -> Sequence[FundingPaid]:
        """What positions paid in `[start, end)`, ascending; empty where nothing is paid."""


class StreamListener(Protocol):
    """Receives the events of a market's sockets. The calls come at once, so they must be short."""

    def on_candle(self, symbol: str, candle: Candle, *, closed: bool) -> None:
        """The newest state of a candle; `closed` if the exchange says that it is final."""

    def on_lost(self, symbols: Collection[str], reason: str) -> None:
        """These symbols receive no candles for now: the connection broke, or the exchange refuses them.

        The stream reconnects by itself. It does not report what happened meanwhile.
        """


class CandleStream(Protocol):
    """The sockets of one market."""

    def want(self, symbols: Collection[str]) -> None:
        """Subscribe to exactly these symbols, in our spelling; returns at once."""

    def start(self, listener: StreamListener) -> None:
        """Keep connections from now on, and pass their events to `listener`."""

    async def stop(self) -> None:
        """Close all connections."""


class CandleArchive(Protocol):
    """Files with whole days and months of one market's candles, besides its API. They do not prove that a
    minute is absent."""

    def files(self, symbol: str, missing: Spans, now: int) -> Sequence[ArchiveFile]:
        """The files to take for missing minutes at exchange time `now`: apart, ascending, within them."""

    async def has(self, file: ArchiveFile) -> bool:
        """Whether there is such a file (yet). Raises ExchangeError."""

    async def candles(self, file: ArchiveFile) -> Sequence[Candle] | None:
        """The file's candles, ascending, each minute once, checked; None if there is no such file (yet).

        Raises MalformedAnswer for a file with any error, and ExchangeUnavailable.
        """
