"""One look at an account: what is open, what it holds, and what has happened since the look before.

A failed question is never an answer "nothing there": then the whole look tells nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from backend.core.windows import HOUR, MINUTE
from backend.errors import OrderAbsent
from backend.services.accounts.ports import AccountSource
from backend.services.history.window_reading import rows_of
from backend.trading.history import Kind, Row, ids_of
from backend.trading.rows import Fill, Order, Position, Product, Wanted
from backend.trading.snapshot import (
    News,
    NewsKind,
    Snapshot,
    Wallet,
    Watched,
    differences,
    has_lost,
    is_over,
    is_trade,
    name_of,
)

log = logging.getLogger(__name__)

OVERLAP = 5 * MINUTE
"""So much of what was read is read again, for rows that came later still."""
ROWS_EACH = 10 * MINUTE
"""Histories are read so often even where nothing seems to have happened."""
GIVEN_UP = 24 * HOUR
"""An order whose end no venue has told for so long is no longer asked for."""
SLACK = MINUTE
"""A venue's clock may be so much before ours."""


@dataclass(slots=True)
class Look:
    """What a look found: the state afterwards, its news, and the rows of histories that it read."""

    known: Watched
    news: list[News]
    orders: dict[Product, dict[str, Row]]
    fills: dict[Product, dict[str, Row]]


async def look(source: AccountSource, known: Watched) -> Look:
    """Read an account. Raises ExchangeError, and tells nothing then."""
    now = await source.now()
    after = await _snapshot(source)
    if known.snapshot is None:
        return Look(Watched(snapshot=after, since=now, read=now), [], {}, {})
    if has_lost(known.snapshot, after):
        # One answer that leaves something out is not believed.
        after = await _snapshot(source)
    news = list(differences(known.snapshot, after))
    opened = {order.order_id for order in after.orders}
    gone = {order.order_id: order for order in known.snapshot.orders if order.order_id not in opened}
    seen = Look(known, news, {}, {})
    is_due = now - known.read >= ROWS_EACH
    if not (gone or is_due or any(is_trade(one, after) for one in news)):
        seen.known = replace(known, snapshot=after, trouble="")
        return seen
    for product in source.products:
        await _read_rows(source, seen, product, known, after, now)
    ended = {name: row for rows in seen.orders.values() for name, row in ids_of(rows.values()).items()}
    still = await _ends(source, gone, ended, known, now)
    told = dict(known.told)
    rows = [row for read in (seen.orders, seen.fills) for each in read.values() for row in each.values()]
    for row in sorted(rows + list(still.ended), key=_time):
        if isinstance(row, Order | Fill) and name_of(row) not in told and _is_new(row, known):
            told[name_of(row)] = max(_time(row), now)
            kind = NewsKind.ORDER if isinstance(row, Order) else NewsKind.FILL
            news.append(News(kind, row))
    waiting = tuple(gone[name] for name in still.missed)
    seen.known = Watched(
        snapshot=replace(after, orders=(*after.orders, *waiting)),
        missed=still.missed,
        since=known.since,
        read=now,
        told={name: time for name, time in told.items() if time > now - 3 * OVERLAP},
    )
    return seen


async def _snapshot(source: AccountSource) -> Snapshot:
    products = source.products
    orders = [row for product in products for row in await source.open_orders(product)]
    wallets = await source.balances(products)
    return Snapshot(
        orders=tuple(sorted(orders, key=lambda row: (row.created, row.order_id))),
        positions=await source.positions(products),
        wallets=tuple(Wallet(product=product, balances=wallets.get(product, ())) for product in products),
    )


async def _read_rows(
    source: AccountSource, seen: Look, product: Product, known: Watched, after: Snapshot, now: int
) -> None:
    """Orders that ended and fills since the look before, where the venue tells them."""
    assert known.snapshot is not None
    before = known.snapshot
    rows: list[Order | Position] = [*before.orders, *after.orders, *before.positions, *after.positions]
    symbols = sorted({row.symbol for row in rows if row.product is product})
    for kind, ask, into in (
        (Kind.ORDERS, source.orders, seen.orders),
        (Kind.FILLS, source.fills, seen.fills),
    ):
        offer = source.offer(kind, product)
        if offer is None or offer.needs == "order":
            continue
        start = max(known.read - OVERLAP, now - offer.span)
        for symbol in symbols if offer.needs == "symbol" else [""]:
            wanted = Wanted(product=product, start=start, end=now + SLACK, symbol=symbol)
            async for came in rows_of(ask, wanted):
                into.setdefault(product, {}).update(
                    {name: row for name, row in came.rows.items() if row.product is product}
                )


@dataclass(slots=True)
class _Ends:
    ended: list[Order]
    missed: dict[str, int]


async def _ends(
    source: AccountSource, gone: dict[str, Order], read: dict[str, Row], known: Watched, now: int
) -> _Ends:
    """How orders ended that are open no more. One that nothing tells of yet is asked for again."""
    ends = _Ends([], {})
    for name, order in gone.items():
        row = read.get(name)
        if not isinstance(row, Order):
            row = await _asked(source, order)
        if row is not None and is_over(row):
            ends.ended.append(row)
            continue
        since = known.missed.get(name, now)
        if now - since < GIVEN_UP:
            ends.missed[name] = since
        else:
            log.warning("order %s is open no more, and no question tells how it ended", name)
    return ends


async def _asked(source: AccountSource, order: Order) -> Order | None:
    """The order by our own id, or in the history at the moment of its creation."""
    if order.client_id:
        try:
            by_our_id = await source.order(order.product, order.symbol, order.client_id)
        except OrderAbsent:
            by_our_id = None
        if by_our_id is not None and by_our_id.order_id == order.order_id:
            return by_our_id
    if source.offer(Kind.ORDERS, order.product) is None:
        return None
    wanted = Wanted(
        product=order.product, symbol=order.symbol, start=order.created - MINUTE, end=order.created + MINUTE
    )
    async for came in rows_of(source.orders, wanted):
        for row in came.rows.values():
            if isinstance(row, Order) and row.order_id == order.order_id:
                return row
    return None


def _is_new(row: Order | Fill, known: Watched) -> bool:
    """Whether a row is of the time since the first look."""
    return _time(row) >= known.since and (isinstance(row, Fill) or is_over(row))


def _time(row: Row) -> int:
    return row.updated if isinstance(row, Order) else row.time
