"""Reads the history of one account: the stages of an extraction, each of which can be run alone.

It reads open orders before finished ones: an order that ends meanwhile is in one of the two. It stores rows
before the ledger claims their window.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from backend.clock import LATEST
from backend.core.windows import Window, intersect, normalise, subtract
from backend.errors import LeaseLost, MarketDataError
from backend.services.accounts.ports import AccountSource
from backend.services.history.ports import HistoryLease, HistoryStore
from backend.services.history.window_reading import Ask, rows_of
from backend.telemetry.traffic import Traffic
from backend.trading.account import Account
from backend.trading.extraction import Stage
from backend.trading.history import (
    TOO_LATE,
    Kind,
    Row,
    StreamLedger,
    StreamName,
    standing,
    time_of,
    to_ask,
)
from backend.trading.rows import Order, Product, Wanted

Work = Callable[[], Awaitable[None]]

CLAIMED_PAGES = 5
"""If pages come newest first, the ledger claims each this many pages. So a crash costs few pages."""

AT_ONCE = 8
"""Windows of one kind and product that are read side by side. Each has a path with a limit of its own, so it
must not wait for places that another has taken."""


class Place(NamedTuple):
    """What is asked at one path."""

    kind: Kind
    product: Product


@dataclass(slots=True)
class Course:
    """The progress of an extraction: windows done and in total, new rows, symbols, and failures.

    `barred` is the reason why it must not continue.
    """

    stage: Stage | None = None
    done: int = 0
    total: int = 0
    rows: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    symbols: set[str] = field(default_factory=set)
    errors: list[MarketDataError] = field(default_factory=list)
    barred: MarketDataError | None = None


class Extractor:
    """Works on one account under the lease of its history. `first` is the first moment that can have rows."""

    def __init__(
        self,
        *,
        account: Account,
        source: AccountSource,
        store: HistoryStore,
        lease: HistoryLease,
        first: int,
        course: Course,
    ) -> None:
        self._account = account
        self._source = source
        self._store = store
        self._lease = lease
        self._first = first
        self._course = course
        self._ledger: dict[StreamName, StreamLedger] = dict(lease.ledger)
        self._writing = asyncio.Lock()
        self._places: defaultdict[Place, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    async def read(self, products: Sequence[Product], since: int | None, symbols: Sequence[str] = ()) -> None:
        """Coordinate and process symbols, product by product side by side: the symbols of one product can be
        read while those of another are still looked for."""

        async def whole(product: Product) -> None:
            await self._coordinate(product, since, now, pending)
            coordinated.append(product)
            if len(coordinated) == len(products):
                self._course.stage = Stage.SYMBOLS
            await self.process_symbols((product,), since, symbols)

        coordinated: list[Product] = []
        now, pending = await self._source.now(), await self._pending(products)
        await _together([partial(whole, product) for product in products])

    async def coordinate(self, products: Sequence[Product], since: int | None) -> None:
        """Read the streams that tell all symbols at once, and find the symbols that were ever traded."""
        now, pending = await self._source.now(), await self._pending(products)
        await _together([partial(self._coordinate, product, since, now, pending) for product in products])

    async def _pending(self, products: Sequence[Product]) -> Sequence[Order]:
        return [row for product in products for row in await self._open_orders(product)]

    async def _coordinate(
        self, product: Product, since: int | None, now: int, pending: Sequence[Order]
    ) -> None:
        ways = [StreamName(kind, product) for kind in Kind if self._needs(kind, product) == "nothing"]
        await self._read_all(ways, since, now)
        if self._needs(Kind.ORDERS, product) == "nothing":
            name = StreamName(Kind.ORDERS, product)
            await self._follow_pending(name, [row for row in pending if row.product is product])
        self._course.symbols |= await self._store.symbols(self._account.id, product)

    async def process_symbols(
        self, products: Sequence[Product], since: int | None, symbols: Sequence[str] = ()
    ) -> None:
        """Read the streams that need a symbol or an order in each request. Without `symbols`: of all."""
        now = await self._source.now()
        ways = []
        for product in products:
            known = symbols or sorted(await self._store.symbols(self._account.id, product))
            self._course.symbols.update(known)
            if self._needs(Kind.FILLS, product) == "symbol":
                ways += [StreamName(Kind.FILLS, product, symbol) for symbol in known]
        await self._read_all(ways, since, now)
        for product in products:
            if self._needs(Kind.FILLS, product) == "order":
                await self._read_by_order(product)

    def _needs(self, kind: Kind, product: Product) -> str | None:
        offer = self._source.offer(kind, product)
        return None if offer is None else offer.needs

    async def _open_orders(self, product: Product) -> Sequence[Order]:
        rows = await self._source.open_orders(product)
        new = await self._store.put(self._account.id, Kind.ORDERS, {row.order_id: row for row in rows})
        self._course.rows += new
        return rows

    async def _read_all(self, names: Iterable[StreamName], since: int | None, now: int) -> None:
        """Read the missing windows of some streams side by side. A window that fails stays missing, alone."""
        tasks = []
        for name in names:
            offer = self._source.offer(name.kind, name.product)
            assert offer is not None
            stands = standing(self._of(name), offer, self._first, now)
            windows = to_ask(stands, offer, max(since or 0, self._first), now)
            if name.symbol:
                windows = await self._without_quiet_ones(name, windows)
            tasks += [(name, window) for window in windows]
        await self._side_by_side(
            [
                (Place(name.kind, name.product), partial(self._read_window, name, window))
                for name, window in tasks
            ]
        )

    async def _without_quiet_ones(self, name: StreamName, windows: Sequence[Window]) -> list[Window]:
        """The windows in which orders or bills show that the symbol was traded. The others count as held
        without a request: to read years of each symbol week by week would take hours."""
        busy = await self._store.busy_days(self._account.id, name.product, name.symbol)
        orders = self._of(StreamName(Kind.ORDERS, name.product)).held
        quiet = [one for one in windows if not subtract((one,), orders) and not intersect(busy, one)]
        if quiet:
            await self._record(name, lambda ledger: replace(ledger, held=normalise([*ledger.held, *quiet])))
        return [one for one in windows if one not in quiet]

    async def _side_by_side(self, works: Sequence[tuple[Place, Work]]) -> None:
        self._course.total += len(works)
        await _together([partial(self._in_place, place, work) for place, work in works])

    async def _in_place(self, place: Place, work: Work) -> None:
        async with self._places[place]:
            try:
                await work()
            except LeaseLost:
                raise
            except MarketDataError as error:
                self._course.errors.append(error)

    async def _read_window(self, name: StreamName, window: Window) -> None:
        wanted = Wanted(product=name.product, start=window.start, end=window.end, symbol=name.symbol)
        oldest: int | None = None
        unclaimed = 0
        held = partial(StreamLedger.with_held, forgotten=await self._forgotten(name))
        async with aclosing(rows_of(self._asker(name.kind), wanted, self._parts(name.kind, wanted))) as pages:
            async for came in pages:
                oldest = min(await self._store_rows(name.kind, came.rows), oldest or LATEST)
                unclaimed += 1
                if unclaimed >= CLAIMED_PAGES and came.down_to is not None and came.down_to < window.end:
                    part, unclaimed = Window(max(came.down_to, window.start), window.end), 0
                    await self._record(name, partial(held, window=part, oldest=oldest))
        await self._record(name, partial(held, window=window, oldest=oldest))
        self._course.done += 1

    async def _forgotten(self, name: StreamName) -> int:
        """The moment (ms) before which the venue tells no more of orders without a fill; 0: of all."""
        offer = self._source.offer(name.kind, name.product)
        if offer is None or offer.unfilled is None:
            return 0
        return await self._source.now() - offer.unfilled + TOO_LATE

    async def _store_rows(self, kind: Kind, rows: Mapping[str, Row]) -> int:
        """Store rows; the time of the oldest one."""
        new = await self._store.put(self._account.id, kind, rows)
        self._course.rows += new
        return min(map(time_of, rows.values()))

    async def _store_all(self, kind: Kind, wanted: Wanted) -> None:
        """Store all rows of a window that is not claimed."""
        async with aclosing(rows_of(self._asker(kind), wanted, self._parts(kind, wanted))) as pages:
            async for came in pages:
                await self._store_rows(kind, came.rows)

    def _parts(self, kind: Kind, wanted: Wanted) -> int:
        offer = self._source.offer(kind, wanted.product)
        return 1 if offer is None else offer.parts

    def _asker(self, kind: Kind) -> Ask:
        askers: Mapping[Kind, Ask] = {
            Kind.ORDERS: self._source.orders,
            Kind.FILLS: self._source.fills,
            Kind.BILLS: self._source.bills,
        }
        return askers[kind]

    async def _follow_pending(self, name: StreamName, open_now: Sequence[Order]) -> None:
        """Read each order that was open before and is not open now: the window that contains it was read
        without it. An order that the venue does not tell yet stays pending."""
        before = dict(self._of(name).pending)
        now_open = {row.order_id: row.created for row in open_now}
        ended = {order_id: created for order_id, created in before.items() if order_id not in now_open}
        pending = dict(now_open)
        for order_id, created in ended.items():
            if not await self._store.is_finished(self._account.id, name.product, order_id):
                wanted = Wanted(product=name.product, start=created, end=created + 1)
                await self._store_all(Kind.ORDERS, wanted)
                if not await self._store.is_finished(self._account.id, name.product, order_id):
                    pending[order_id] = created
        await self._record(name, lambda ledger: replace(ledger, pending=pending))

    async def _read_by_order(self, product: Product) -> None:
        """Read the fills of each order that was filled since its fills were read. Then the fills are held as
        far as the orders are."""
        failed = len(self._course.errors)
        orders = await self._store.unread_orders(self._account.id, product)
        place = Place(Kind.FILLS, product)
        await self._side_by_side([(place, partial(self._read_fills, order)) for order in orders])
        if len(self._course.errors) == failed:
            held = self._of(StreamName(Kind.ORDERS, product))
            await self._record(
                StreamName(Kind.FILLS, product),
                lambda ledger: replace(ledger, held=held.held, oldest=held.oldest),
            )

    async def _read_fills(self, order: Order) -> None:
        wanted = Wanted(
            product=order.product,
            start=order.created,
            end=order.updated + 1,
            symbol=order.symbol,
            order_id=order.order_id,
        )
        await self._store_all(Kind.FILLS, wanted)
        await self._store.fills_read(order, self._account.id)
        self._course.done += 1

    def _of(self, name: StreamName) -> StreamLedger:
        return self._ledger.get(name, StreamLedger())

    async def _record(self, name: StreamName, change: Callable[[StreamLedger], StreamLedger]) -> None:
        """Raises LeaseLost when another process works on the history by now."""
        async with self._writing:
            changed = change(self._of(name))
            if not await self._store.record(self._lease, name, changed):
                raise LeaseLost(f"another process reads the history of account {self._account.id} now")
            self._ledger[name] = changed


async def _together(works: Iterable[Work]) -> None:
    """Do all side by side; the first error ends the others."""
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
