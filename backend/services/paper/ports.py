"""What paper accounts need of the store and of the venues, as shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.core.quotes import FundingPaid, FundingRate, OrderBook, Ticker
from backend.trading.history import Kind, Row
from backend.trading.paper.paper_book import Instrument, PaperBook
from backend.trading.paper.paper_time import Bar
from backend.trading.rows import Order, Product
from backend.trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAsked:
    """Rows whose time (ms) is in `[start, end)`, behind the place `after`, the oldest first."""

    kind: Kind
    product: Product
    start: int
    end: int
    symbol: str = ""
    after: tuple[int, int] | None = None


class PaperStore(Protocol):
    """Where the books of paper accounts are kept, and the rows that they made. Every call may raise
    DatabaseUnavailable."""

    async def open(self, account: str, book: PaperBook) -> None:
        """Store the book of a new account durably."""

    async def load(self, account: str) -> tuple[PaperBook, int]:
        """A book without its rows, and its version. Raises UnknownAccount where there is none."""

    async def save(self, account: str, book: PaperBook, version: int) -> bool:
        """Put a book with its new rows in place of exactly this version, durably; False if it has
        changed."""

    async def order(self, account: str, client_id: str) -> Order | None:
        """A finished order by its client id."""

    async def rows(self, account: str, asked: RowsAsked, limit: int) -> Sequence[tuple[tuple[int, int], Row]]:
        """Up to `limit` rows with their places."""

    async def watched(self) -> Sequence[str]:
        """The accounts that have a position or an open order."""

    async def remove(self, account: str) -> None:
        """Forget a book and its rows."""


class PaperPrices(Protocol):
    """The real markets of a venue. Every call may raise ExchangeError or UnknownSymbol."""

    async def instrument(self, venue: str, product: Product, symbol: str) -> Instrument:
        """A market with its coins, steps and minima."""

    async def ticker(self, venue: str, product: Product, symbol: str) -> Ticker:
        """The prices now."""

    async def offers(self, venue: str, product: Product, symbol: str) -> OrderBook:
        """The offers that an order would meet now."""

    async def funding(self, venue: str, product: Product, symbol: str) -> FundingRate | None:
        """What positions pay next; None where nothing is paid."""

    async def funding_paid(
        self, venue: str, product: Product, symbol: str, start: int, end: int
    ) -> Sequence[FundingPaid]:
        """What positions paid in `[start, end)`, ascending; empty where nothing is paid."""

    def bars(self, venue: str, product: Product, symbol: str, start: int, end: int) -> AsyncIterator[Bar]:
        """The stored candles that open in `[start, end)`, ascending."""


class RulesSource(Protocol):
    """Where the steps and minima of a market are asked for, without keys."""

    async def rules(self, venue: str, product: Product, symbol: str) -> Rules:
        """May raise ExchangeError."""
