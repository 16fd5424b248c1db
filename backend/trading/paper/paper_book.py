"""All that a paper account has: coins, positions, orders, and the rows that were not written down yet.

Positions and orders are of the same shape as those of a venue when they are told (`trading/rows.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from backend.trading.money import times, total
from backend.trading.rows import Bill, Fee, FeeRates, Fill, Held, Order, Product, Side
from backend.trading.rules import Rules
from backend.trading.tickets import MarginMode, Ticket

ZERO = Decimal(0)

COINS: Mapping[Product, str] = MappingProxyType(
    {Product.SPOT: "USDT", Product.PERPETUAL_USDT: "USDT", Product.PERPETUAL_USD: "USD"}
)
"""What a paper account may hold money in, and the coin in which it begins: the products whose prices the
service can ask for."""

Cause = Literal["normal", "take_profit", "stop_loss", "liquidation"]
"""What made an order."""


class PaperRefused(Exception):
    """A venue would refuse this. The message is a sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What trading costs. `maintenance` is the part of a position's value below which the account's money may
    not fall; `leverage` is that of a symbol that nobody set."""

    spot: FeeRates = FeeRates(maker=Decimal("0.001"), taker=Decimal("0.001"))
    perpetual: FeeRates = FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0006"))
    maintenance: Decimal = Decimal("0.005")
    leverage: Decimal = Decimal(10)

    def rates(self, product: Product) -> FeeRates:
        return self.spot if product is Product.SPOT else self.perpetual


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A market with its steps and minima. Symbols are in the venue's spelling; a perpetual is settled in its
    quote coin."""

    product: Product
    symbol: str
    base: str
    quote: str
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A position. `size` and `cost` (sizes times prices of entry, added up) are below zero for a short one.
    An `isolated` one answers with its `margin` alone."""

    product: Product
    symbol: str
    coin: str
    held: Held
    size: Decimal = ZERO
    cost: Decimal = ZERO
    margin: Decimal = ZERO
    isolated: bool = False
    updated: int = 0

    @property
    def market(self) -> tuple[Product, str]:
        return self.product, self.symbol

    def worth(self, price: Decimal) -> Decimal:
        """Its value in quote coins, without a sign."""
        return times(abs(self.size), price)

    def result(self, price: Decimal) -> Decimal:
        """What it would win at a price."""
        return total((times(self.size, price), -self.cost))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """An order that is not finished, of which `value` quote coins are traded already."""

    ticket: Ticket
    base: str
    quote: str
    order_id: str
    client_id: str
    created: int
    updated: int
    cause: Cause = "normal"
    filled: Decimal = ZERO
    value: Decimal = ZERO
    fees: tuple[Fee, ...] = ()

    @property
    def market(self) -> tuple[Product, str]:
        return self.ticket.product, self.ticket.symbol

    @property
    def left(self) -> Decimal:
        """What is not filled; an order that spends quote coins has no size."""
        return ZERO if self.ticket.size is None else self.ticket.size - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Closes `size` of a position at the market when its price gets to `price`, from below if `above`. The
    two triggers of one order, its `parent`, end together."""

    parent: str
    product: Product
    symbol: str
    held: Held
    side: Side
    price: Decimal
    above: bool
    cause: Cause
    size: Decimal

    @property
    def market(self) -> tuple[Product, str]:
        return self.product, self.symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """How a symbol is set."""

    product: Product
    symbol: str
    long: Decimal
    short: Decimal
    margin_mode: MarginMode = "crossed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The last price of a market, at `time` (ms). `funding` is paid next at `due`, then each `every` ms."""

    product: Product
    symbol: str
    price: Decimal
    time: int
    funding: Decimal | None = None
    due: int | None = None
    every: int = 0


@dataclass(slots=True, kw_only=True)
class PaperBook:
    """`cash` is by product and coin. The rows in `orders`, `fills` and `bills` are new; `number` is the last
    one that a row has."""

    terms: Terms = Terms()
    hedged: bool = False
    cash: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    resting: list[Resting] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    levers: list[Lever] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    number: int = 0
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)

    def next_number(self) -> str:
        """The id of a new row."""
        self.number += 1
        return str(self.number)

    def pay(
        self,
        product: Product,
        coin: str,
        kind: str,
        amount: Decimal,
        time: int,
        *,
        fee: Decimal = ZERO,
        symbol: str = "",
    ) -> None:
        """Change a wallet by `amount` less `fee`, and write the bill."""
        wallet = self.cash.setdefault(product.value, {})
        wallet[coin] = total((wallet.get(coin, ZERO), amount, -fee))
        self.bills.append(
            Bill(
                product=product,
                bill_id=self.next_number(),
                symbol=symbol,
                coin=coin,
                kind=kind,
                amount=amount,
                fee=fee or None,
                balance=wallet[coin],
                time=time,
            )
        )

    def has(self, product: Product, coin: str) -> Decimal:
        """The coins of a wallet."""
        return self.cash.get(product.value, {}).get(coin, ZERO)

    def mark(self, market: tuple[Product, str]) -> Mark | None:
        """What is known of a market."""
        return next((one for one in self.marks if (one.product, one.symbol) == market), None)

    def price(self, market: tuple[Product, str]) -> Decimal | None:
        """The last known price of a market."""
        known = self.mark(market)
        return None if known is None else known.price

    def lever(self, product: Product, symbol: str) -> Lever:
        """How a symbol is set."""
        plain = Lever(product=product, symbol=symbol, long=self.terms.leverage, short=self.terms.leverage)
        return next((one for one in self.levers if (one.product, one.symbol) == (product, symbol)), plain)

    def set_lever(self, lever: Lever) -> None:
        market = (lever.product, lever.symbol)
        self.levers = [one for one in self.levers if (one.product, one.symbol) != market] + [lever]

    def leverage(self, market: tuple[Product, str], *, long: bool) -> Decimal:
        """The leverage of new positions of a side."""
        lever = self.lever(*market)
        return lever.long if long else lever.short

    def lot(self, market: tuple[Product, str], held: Held) -> Lot | None:
        """A position."""
        return next((one for one in self.lots if one.market == market and one.held == held), None)

    def put_lot(self, lot: Lot) -> None:
        """A position is so now; one without a size is no more."""
        self.lots = [one for one in self.lots if (one.market, one.held) != (lot.market, lot.held)]
        if lot.size:
            self.lots.append(lot)

    def put_resting(self, order: Resting) -> None:
        """An order is so now."""
        for place, one in enumerate(self.resting):
            if one.order_id == order.order_id:
                self.resting[place] = order
                return
        self.resting.append(order)

    def watched(self) -> set[tuple[Product, str]]:
        """The markets whose prices matter to this account."""
        everything: list[Lot | Resting | Trigger] = [*self.lots, *self.resting, *self.triggers]
        return {one.market for one in everything}
