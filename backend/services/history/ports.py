"""What the use cases of histories need of stores, as shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from backend.core.job import Status
from backend.core.windows import Spans
from backend.trading.extraction import Extraction
from backend.trading.history import Kind, Row, StreamLedger, StreamName
from backend.trading.proof import Proof
from backend.trading.rows import Bill, Fill, Order, Product

Ledger = Mapping[StreamName, StreamLedger]


class HistoryLease(NamedTuple):
    """The sole right to write an account's history, for some seconds."""

    account: str
    token: str
    ledger: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The state of an account's history. `read` and `proved` are the times of the last ones (ms)."""

    ledger: Ledger
    read: int | None
    proof: Proof | None
    proved: int | None


class Place(NamedTuple):
    """The row before the first row of a page."""

    time: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsWanted:
    """A request for rows of an account, oldest first, `[start, end)` in ms. None means: any."""

    account: str
    product: Product | None = None
    symbol: str | None = None
    start: int | None = None
    end: int | None = None


class HistoryStore(Protocol):
    """Where histories are kept. Every call may raise DatabaseUnavailable."""

    async def acquire(self, account: str, owner: str, seconds: float) -> HistoryLease | None:
        """Lease an account's history unless somebody holds it."""

    async def renew(self, lease: HistoryLease, seconds: float) -> bool:
        """Keep the lease for `seconds` from now; False if another process has it."""

    async def release(self, lease: HistoryLease) -> None:
        """Give the lease back."""

    async def record(self, lease: HistoryLease, name: StreamName, ledger: StreamLedger) -> bool:
        """Write the state of a stream durably; False if another process has the lease."""

    async def finish(self, lease: HistoryLease, read: int, proof: Proof | None) -> bool:
        """Write down when the history was read, and what was compared."""

    async def load(self, account: str) -> Known:
        """What is known of an account's history."""

    async def put(self, account: str, kind: Kind, rows: Mapping[str, Row]) -> int:
        """Store rows by their ids, durably. Returns how many are new. It ignores older states of an order."""

    async def symbols(self, account: str, product: Product) -> set[str]:
        """The symbols of all that is stored of a product."""

    async def busy_days(self, account: str, product: Product, symbol: str) -> Spans:
        """The days on which a symbol had bills, or orders that were filled."""

    async def unread_orders(self, account: str, product: Product) -> list[Order]:
        """Orders that were filled, in part or whole, since their fills were read."""

    async def fills_read(self, order: Order, account: str) -> None:
        """Write down that all fills of an order were read."""

    async def is_finished(self, account: str, product: Product, order_id: str) -> bool:
        """Whether an order is stored with its final state."""

    async def page(self, kind: Kind, wanted: RowsWanted, after: Place | None, limit: int) -> Sequence[Any]:
        """Up to `limit` rows behind a place, oldest first, each with its place."""

    async def count(self, kind: Kind, wanted: RowsWanted) -> int:
        """How many rows there are."""

    async def fills_of(self, account: str, product: Product, order_id: str) -> Sequence[Fill]:
        """The stored fills of an order, oldest first."""

    def orders_with_fills(
        self, account: str, product: Product
    ) -> AsyncIterator[tuple[Order | None, list[Fill]]]:
        """Each order with its fills; fills without a stored order come alone."""

    def bills(self, account: str, products: Sequence[Product]) -> AsyncIterator[Bill]:
        """All bills of some products, coin by coin, each coin's oldest first."""


class ExtractionStore(Protocol):
    """Where extractions are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, extraction: Extraction) -> None:
        """Keep a new one."""

    async def load(self, extraction_id: str) -> Extraction | None:
        """One of them; None if there is none with this id."""

    async def newest(self, limit: int, account: str | None = None) -> list[Extraction]:
        """The latest requests, newest first."""

    async def active(self) -> list[Extraction]:
        """Queued and running ones, oldest first."""

    async def report(self, extraction: Extraction, status: Status) -> bool:
        """Write the progress of one that has this status. Returns whether somebody cancels it."""

    async def cancel(self, extraction_id: str, now: int) -> Extraction | None:
        """End a queued one, or mark a running one to be ended."""
