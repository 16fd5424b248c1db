"""An account that has traded, told as venues tell it: in pages, by windows, with retention, and with lies.

It fits `services.accounts.ports.AccountSource`, so histories can be tried without a network.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from backend.core.windows import DAY, HOUR
from backend.trading.history import Kind, Offer, Row, time_of
from backend.trading.rows import (
    Balance,
    Bill,
    Fee,
    FeeRates,
    Fill,
    Identity,
    KeyFacts,
    Order,
    Page,
    Position,
    Product,
    Right,
    Status,
    Wanted,
)

USDT = Product.PERPETUAL_USDT
FEE_RATE = Decimal("0.0006")

Style = Literal["cursor", "halves", "numbered"]


@dataclass
class Book:
    """All that happened: the truth. Each order is as it stands in the end."""

    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)

    def rows(self, kind: Kind) -> Sequence[Row]:
        if kind is Kind.ORDERS:
            return self.orders
        return self.fills if kind is Kind.FILLS else self.bills


def traded(seed: int, orders: int, start: int, end: int, symbols: int = 5) -> Book:
    """A seeded past: several orders in one millisecond, partial fills, cancels, funding, chained balances."""
    chance = random.Random(seed)
    book = Book()
    balance = Decimal(10_000)
    moments = sorted(chance.randrange(start, end - HOUR) for _ in range(orders))
    for number in range(1, len(moments)):
        if chance.random() < 0.2:
            moments[number] = moments[number - 1]
    events: list[tuple[int, Bill]] = []
    for number, created in enumerate(moments):
        symbol = f"COIN{chance.randrange(symbols)}USDT"
        price, size = Decimal(chance.randrange(100, 999)), Decimal(chance.randrange(1, 50)) / 10
        order_id = str(1_000_000_000_000_000_000 + number)
        parts = chance.choice([0, 1, 1, 1, 2, 3])
        filled, moment, fees = Decimal(0), created, Decimal(0)
        for part in range(parts):
            moment += chance.randrange(0, 60_000)
            amount = size / 4
            fee = amount * price * FEE_RATE
            fees += fee
            filled += amount
            fill_id = f"{order_id}{part}"
            book.fills.append(
                Fill(
                    product=USDT,
                    symbol=symbol,
                    fill_id=fill_id,
                    order_id=order_id,
                    side="buy",
                    price=price,
                    size=amount,
                    value=amount * price,
                    fees=(Fee("USDT", fee),),
                    role="taker",
                    realised=Decimal(0),
                    time=moment,
                )
            )
            events.append((moment, _bill(f"7{fill_id}", symbol, "open_long", Decimal(0), fee, moment)))
        book.orders.append(
            Order(
                product=USDT,
                symbol=symbol,
                order_id=order_id,
                client_id=f"mine-{number}",
                side="buy",
                held="long",
                kind="limit",
                status=Status.FILLED if parts and chance.random() < 0.5 else Status.CANCELLED,
                price=price,
                size=size,
                filled=filled,
                average_price=price if parts else None,
                fees=(Fee("USDT", fees),) if parts else (),
                reduce_only=False,
                source="normal",
                created=created,
                updated=moment,
            )
        )
    for number in range((end - start) // (8 * HOUR)):
        moment = start + number * 8 * HOUR
        amount = Decimal(chance.randrange(-50, 50)) / 100
        events.append(
            (moment, _bill(f"9{number:018}", "COIN0USDT", "contract_settle_fee", amount, None, moment))
        )
    for _, bill in sorted(events, key=lambda one: (one[0], one[1].bill_id)):
        balance += bill.amount - (bill.fee or 0)
        book.bills.append(replace(bill, balance=balance))
    return book


def _bill(bill_id: str, symbol: str, kind: str, amount: Decimal, fee: Decimal | None, time: int) -> Bill:
    return Bill(
        product=USDT,
        bill_id=bill_id,
        symbol=symbol,
        coin="USDT",
        kind=kind,
        amount=amount,
        fee=fee,
        balance=None,
        time=time,
    )


@dataclass
class TradedAccount:
    """Tells a book. `lie` may change each page, given its kind and the number of the question.

    An order of `open_until` is open until that moment, and finished later. A row of `late` is told from its
    moment on. `told` counts questions about histories.
    """

    book: Book
    clock: Callable[[], int]
    styles: Mapping[Kind, Style] = field(default_factory=dict)
    page_size: int = 10
    span: int = 30 * DAY
    retention: int | None = 90 * DAY
    needs: Mapping[Kind, Literal["nothing", "symbol", "order"]] = field(default_factory=dict)
    not_offered: frozenset[Kind] = frozenset()
    lie: Callable[[Kind, int, Page[Row]], Page[Row]] = lambda _kind, _number, page: page
    open_until: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    told: int = 0
    asked: list[tuple[Kind, Wanted]] = field(default_factory=list)

    async def now(self) -> int:
        return self.clock()

    async def identity(self) -> Identity:
        return Identity(flavour="classic", uid="714", key=KeyFacts(rights=frozenset((Right.READ,))))

    @property
    def products(self) -> tuple[Product, ...]:
        return (USDT,)

    @property
    def wallets(self) -> tuple[tuple[Product, ...], ...]:
        return ((USDT,),)

    async def balances(self, products: Sequence[Product]) -> Mapping[Product, tuple[Balance, ...]]:
        return dict.fromkeys(products, ())

    async def positions(self, _products: Sequence[Product]) -> tuple[Position, ...]:
        return ()

    async def fees(self, _product: Product, _symbol: str) -> FeeRates:
        return FeeRates(maker=FEE_RATE, taker=FEE_RATE)

    async def open_orders(self, _product: Product) -> tuple[Order, ...]:
        now = self.clock()
        return tuple(
            replace(order, status=Status.OPEN, filled=Decimal(0), updated=order.created, fees=())
            for order in self.book.orders
            if order.created <= now < self.open_until.get(order.order_id, 0)
        )

    def offer(self, kind: Kind, product: Product) -> Offer | None:
        if kind in self.not_offered or product is not USDT:
            return None
        return Offer(span=self.span, retention=self.retention, needs=self.needs.get(kind, "nothing"))

    async def orders(self, wanted: Wanted) -> Page[Order]:
        return self._page(Kind.ORDERS, wanted)  # type: ignore[return-value]

    async def fills(self, wanted: Wanted) -> Page[Fill]:
        return self._page(Kind.FILLS, wanted)  # type: ignore[return-value]

    async def bills(self, wanted: Wanted) -> Page[Bill]:
        return self._page(Kind.BILLS, wanted)  # type: ignore[return-value]

    def _page(self, kind: Kind, wanted: Wanted) -> Page[Row]:
        assert wanted.end - wanted.start <= self.span, "a question that is too wide"
        if self.needs.get(kind) == "symbol":
            assert wanted.symbol, "a question without a symbol"
        self.told += 1
        self.asked.append((kind, wanted))
        return self.lie(kind, self.told, self._honest(kind, wanted))

    def _honest(self, kind: Kind, wanted: Wanted) -> Page[Row]:
        rows = [
            row for row in self.book.rows(kind) if self._is_told(row) and self._is_wanted(kind, row, wanted)
        ]
        rows.sort(key=lambda row: (time_of(row), name_of(row)), reverse=True)
        style = self.styles.get(kind, "cursor")
        if style == "halves":
            return Page(tuple(rows[: self.page_size]), full=len(rows) >= self.page_size)
        if style == "numbered":
            number = int(wanted.cursor or "1")
            shown = rows[(number - 1) * self.page_size : number * self.page_size]
            return Page(tuple(shown), cursor=str(number + 1) if shown else None)
        names = [name_of(row) for row in rows]
        begin = names.index(wanted.cursor) + 1 if wanted.cursor in names else 0
        shown = rows[begin : begin + self.page_size]
        return Page(tuple(shown), cursor=name_of(shown[-1]) if shown else None)

    def _is_told(self, row: Row) -> bool:
        now = self.clock()
        if self.retention is not None and time_of(row) < now - self.retention:
            return False
        if isinstance(row, Order) and now < self.open_until.get(row.order_id, 0):
            return False
        return max(time_of(row), self.late.get(name_of(row), 0)) <= now

    def _is_wanted(self, kind: Kind, row: Row, wanted: Wanted) -> bool:
        if self.needs.get(kind) == "order":
            return not isinstance(row, Bill) and row.order_id == wanted.order_id
        symbol = not wanted.symbol or row.symbol == wanted.symbol
        return symbol and wanted.start <= time_of(row) < wanted.end


def name_of(row: Row) -> str:
    """A row's id."""
    if isinstance(row, Order):
        return row.order_id
    return row.fill_id if isinstance(row, Fill) else row.bill_id
