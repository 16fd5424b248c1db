"""What the values of `backend/exchanges/*/account` must read of a simulated book's rows.

A venue tells less than the book knows; what it leaves out is None here, or empty. The words for what made an
order and a bill are the venue's: they are left out.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeVar

from backend.trading.rows import Balance, Bill, Fee, Fill, Order, Position, Product, Status
from tests.simulator.private import rows as book

Venue = Literal["classic", "unified", "bingx", "extended"]
FLAVOURS: tuple[Venue, ...] = ("classic", "unified", "bingx")
STATUSES = {
    "open": Status.OPEN,
    "partially_filled": Status.PARTIALLY_FILLED,
    "filled": Status.FILLED,
    "cancelled": Status.CANCELLED,
}
Row = TypeVar("Row", Order, Bill)


def symbol_of(pair: book.Pair, venue: Venue) -> str:
    """A market's symbol in the venue's spelling."""
    if venue == "extended":
        return f"{pair.base}-USD"
    return f"{pair.base}-{pair.quote}" if venue == "bingx" else f"{pair.base}{pair.quote}"


def product_of(product: book.Product, venue: Venue) -> Product:
    """Extended tells in US dollars what the book holds in USDC."""
    return Product.PERPETUAL_USD if venue == "extended" else Product(product)


def coin_of(coin: str, venue: Venue) -> str:
    return "USD" if venue == "extended" else coin


def without_words(row: Row) -> Row:
    """A row without the venue's own word for its cause."""
    return replace(row, source="") if isinstance(row, Order) else replace(row, kind="")


def order(row: book.Order, venue: Venue) -> Order:
    """An order. Its fees are told in all coins by a unified account, else in the settled one."""
    spot = row.product is book.Product.SPOT
    bought_in_quote = venue == "classic" and spot and row.kind == "market" and row.side == "buy"
    told = tuple(Fee(coin, paid) for coin, paid in row.fees)
    if venue != "unified":
        told = () if spot else tuple(fee for fee in told if fee.coin == row.pair.settled)
    if venue == "extended":
        told = tuple(Fee("USD", paid) for _, paid in row.fees)
    reduces = not row.opens and (venue == "classic" or row.held == "net")
    return Order(
        product=product_of(row.product, venue),
        symbol=symbol_of(row.pair, venue),
        order_id=str(row.number),
        client_id=row.client_id,
        side=row.side,
        held=row.held or None,
        kind=row.kind,
        status=STATUSES[row.status],
        price=row.price,
        size=None if bought_in_quote else row.size,
        filled=row.filled,
        average_price=None if spot and venue == "bingx" else row.average,
        fees=told,
        reduce_only=None if spot and venue != "unified" else reduces,
        source="",
        created=row.created,
        updated=row.updated,
    )


def fill(row: book.Fill, venue: Venue) -> Fill:
    """A fill; of spot no venue tells a profit, but a unified account one of zero."""
    spot = row.product is book.Product.SPOT
    return Fill(
        product=product_of(row.product, venue),
        symbol=symbol_of(row.pair, venue),
        fill_id=str(row.number),
        order_id=str(row.order),
        side=row.side,
        price=row.price,
        size=row.size,
        value=row.value,
        fees=(Fee(coin_of(row.fee_coin, venue), row.fee),),
        role=row.role,
        realised=None if venue == "extended" or (spot and venue != "unified") else row.realised,
        time=row.time,
    )


def bills(row: book.Bill, venue: Venue) -> list[Bill]:
    """A bill. BingX tells its amount and its fee as two, and says no balance."""
    spot = row.product is book.Product.SPOT
    symbol = symbol_of(row.pair, venue) if row.pair and not (spot and venue == "classic") else ""

    def made(number: int, amount: Decimal, fee: Decimal | None) -> Bill:
        return Bill(
            product=product_of(row.product, venue),
            bill_id=str(number),
            symbol=symbol,
            coin=coin_of(row.coin, venue),
            kind="",
            amount=amount,
            fee=fee,
            balance=None if venue in ("bingx", "extended") else row.balance,
            time=row.time,
        )

    if venue == "extended":
        return [replace(made(row.number, row.amount, None), bill_id=f"funding-{row.number}")]
    if venue != "bingx":
        return [made(row.number, row.amount, row.fee)]
    parts = [(row.number, row.amount), (row.number + 1, -row.fee)]
    return [made(number, amount, None) for number, amount in parts if amount]


def balance(row: book.Balance, venue: Venue, *, spot: bool) -> Balance:
    """A coin of a wallet; of spot no equity is told, but by a unified account."""
    return Balance(
        coin=coin_of(row.coin, venue),
        available=row.available,
        frozen=row.frozen,
        equity=None if spot and venue != "unified" else row.equity,
    )


def position(row: book.Position, venue: Venue) -> Position:
    """An open position."""
    return Position(
        product=product_of(row.product, venue),
        symbol=symbol_of(row.pair, venue),
        held=row.held or "net",
        size=row.size,
        entry_price=row.entry,
        mark_price=row.mark,
        leverage=Decimal(row.leverage),
        margin_mode="crossed",
        margin_coin=coin_of(row.pair.settled, venue),
        unrealised=row.unrealised,
        liquidation_price=None,
        updated=row.updated,
    )
