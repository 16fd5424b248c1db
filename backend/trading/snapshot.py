"""What an account looks like at one moment, and what differs between two looks. Pure.

Only what somebody did, or what the market did to the account, is news: a mark price that moves is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from backend.trading.intents import FINISHED
from backend.trading.rows import Balance, Fill, Order, Position, Product


class NewsKind(StrEnum):
    """What news is about."""

    ORDER = "order"
    FILL = "fill"
    POSITION = "position"
    BALANCE = "balance"
    TROUBLE = "trouble"
    """The venue cannot be asked, or can be asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The coins of a product."""

    product: Product
    balances: tuple[Balance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why the venue cannot be asked; "" where it can be asked again."""

    said: str


About = Order | Fill | Position | Wallet | Trouble


class News(NamedTuple):
    """Something that is different from before."""

    kind: NewsKind
    about: About


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Open orders, positions and wallets at one moment."""

    orders: tuple[Order, ...] = ()
    positions: tuple[Position, ...] = ()
    wallets: tuple[Wallet, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of an account.

    `since` is the first look (ms), and `read` the last one that read rows of histories. `missed` are orders
    that are open no more, and of which nobody knows yet how they ended, with the time at which they were
    missed; the snapshot still has them. `told` are the names of rows that were told lately, with their times.
    `trouble` is why the last look failed.
    """

    snapshot: Snapshot | None = None
    missed: Mapping[str, int] = field(default_factory=dict)
    since: int = 0
    read: int = 0
    told: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""


def differences(before: Snapshot, after: Snapshot) -> Iterator[News]:
    """What is different after a look. Orders that are no longer open are no news yet: their end is."""
    known = {order.order_id: order for order in before.orders}
    for order in after.orders:
        if _progress(known.get(order.order_id)) != _progress(order):
            yield News(NewsKind.ORDER, order)
    yield from _moved(before, after)
    wallets = {wallet.product: wallet for wallet in before.wallets}
    for wallet in after.wallets:
        if wallets.get(wallet.product) != wallet:
            yield News(NewsKind.BALANCE, wallet)


def has_lost(before: Snapshot, after: Snapshot) -> bool:
    """Whether an order or a position is there no more."""
    return not (
        {row.order_id for row in before.orders} <= {row.order_id for row in after.orders}
        and {_place(row) for row in before.positions} <= {_place(row) for row in after.positions}
    )


def is_trade(news: News, after: Snapshot) -> bool:
    """Whether news may mean that something was traded, so that histories are worth a look. The equity of a
    wallet moves by itself while a position is open."""
    if news.kind is NewsKind.BALANCE and isinstance(news.about, Wallet):
        product = news.about.product
        return not any(position.product is product for position in after.positions)
    return True


def name_of(about: Order | Fill) -> str:
    """What tells a row that is news from others: a later state of an order is news again."""
    if isinstance(about, Order):
        return f"{about.product}/{about.order_id}/{about.status}/{about.filled.normalize()}"
    fill_id = about.fill_id or f"{about.order_id}+{about.time}+{about.price}+{about.size}"
    return f"{about.product}/{fill_id}"


def is_over(order: Order) -> bool:
    """Whether nothing more can happen to it."""
    return order.status in FINISHED


def _moved(before: Snapshot, after: Snapshot) -> Iterator[News]:
    old, new = ({_place(row): row for row in snapshot.positions} for snapshot in (before, after))
    for place, row in new.items():
        if place not in old or _held(old[place]) != _held(row):
            yield News(NewsKind.POSITION, row)
    for place in old.keys() - new.keys():
        gone = replace(old[place], size=Decimal(0), unrealised=None, liquidation_price=None)
        yield News(NewsKind.POSITION, gone)


def _place(row: Position) -> tuple[str, ...]:
    return row.product, row.symbol, row.held


def _progress(order: Order | None) -> object:
    return None if order is None else (order.status, order.filled, order.price, order.size)


def _held(row: Position) -> object:
    return row.size, row.entry_price, row.leverage, row.margin_mode
