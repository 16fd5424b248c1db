"""An account's book: the one source of what every imitated venue tells of it.

`generated` (generator.py) makes one of any size; `Book()` is an empty one that a test fills by `place`,
`fill`, `cancel`, `transfer`. Whatever is done happens at `now` or later, in the order of time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from tests.simulator.private.costs import Facts, added, fee_of, frozen_by
from tests.simulator.private.rows import (
    FINISHED,
    Balance,
    Bill,
    Cause,
    Fill,
    Held,
    Numbers,
    Order,
    Pair,
    Plan,
    Position,
    Product,
    Side,
)
from tests.simulator.private.shelf import Shelf
from tests.simulator.private.wallets import CENT, ZERO, Positions, Wallets, balance

__all__ = ["Book", "Facts"]


FIRST_PRICE = Decimal(100)
"""The price of a market in which nothing was traded."""


class Book:
    """Orders, fills, bills, plans, positions and balances of one account."""

    def __init__(self, facts: Facts | None = None, *, now: int = 1_767_225_600_000) -> None:
        self.facts = facts or Facts()
        self.now = now
        """The moment of the latest change, ms."""
        self.orders: Shelf[Order] = Shelf()
        self.fills: Shelf[Fill] = Shelf()
        self.bills: Shelf[Bill] = Shelf()
        self.plans: Shelf[Plan] = Shelf()
        self.open: dict[int, Order] = {}
        """Orders that are not finished, by number."""
        self._numbers = Numbers(Order)
        self._fill_numbers = Numbers(Fill)
        self._plan_numbers = Numbers(Plan)
        self._wallets = Wallets(self.bills, unified=self.facts.unified)
        self._positions = Positions()
        self.levers: dict[tuple[Product, Pair], Any] = {}
        """How symbols are set: see `setup.py`."""
        self.accepted: Counter[str] = Counter()
        """How many orders came with a client id."""
        self._by_client: dict[str, int] = {}
        self._fills_of: dict[int, list[Fill]] = defaultdict(list)

    def transfer(self, product: Product, coin: str, amount: Decimal, time: int) -> None:
        """Money comes into a wallet, or leaves it where the amount is below zero."""
        self._pass(time)
        kind = "transfer_in" if amount > 0 else "transfer_out"
        self._wallets.change(product, coin, kind, amount, time)

    def place(
        self,
        product: Product,
        pair: Pair,
        side: Side,
        size: Decimal,
        time: int,
        *,
        price: Decimal | None = None,
        held: Held = "",
        opens: bool = True,
        cause: Cause = "normal",
        leverage: int = 10,
        client_id: str | None = None,
        trigger: Decimal | None = None,
    ) -> Order:
        """An order appears, of which nothing is traded yet. One that closes must be of what is there.

        `trigger` makes it the order of a plan. Left out, the client id is made up; an order that the venue
        made has none.
        """
        self._pass(time)
        number = self._numbers.next(time)
        own = f"own{number}" if cause in ("normal", "plan") else ""
        order = Order(
            number=number,
            product=product,
            pair=pair,
            client_id=own if client_id is None else client_id,
            side=side,
            held=held,
            opens=opens,
            kind="market" if price is None else "limit",
            price=price,
            size=size,
            cause=cause,
            leverage=leverage,
            created=time,
            updated=time,
        )
        if not opens:
            self._hold(order, size)
        if trigger is not None:
            order = order._replace(plan=self.plan(order, trigger, executed=True).number)
        self._by_client[order.client_id] = number
        self.open[number] = order
        self.orders.put(order)
        return order

    def plan(self, order: Order, trigger: Decimal, *, executed: bool) -> Plan:
        """A plan for such an order, which made it or was cancelled."""
        plan = Plan(
            number=self._plan_numbers.next(order.created),
            product=order.product,
            pair=order.pair,
            side=order.side,
            held=order.held,
            opens=order.opens,
            size=order.size,
            trigger=trigger,
            status="executed" if executed else "cancelled",
            order=order.number if executed else 0,
            created=order.created,
            updated=order.created,
        )
        self.plans.put(plan)
        return plan

    def fill(
        self, number: int, size: Decimal, price: Decimal, time: int, *, maker: bool = False, fee_in: str = ""
    ) -> Fill:
        """Trade a part of an order; the fee is in the settled coin, or as much of another coin."""
        self._pass(time)
        order = self.open[number]
        realised = self._traded(order, size, price, time)
        rates = self.facts.rates[order.product]
        own, fee = fee_of(order, size, price, rates.maker if maker else rates.taker)
        coin = fee_in or own
        fill = Fill(
            number=self._fill_numbers.next(time),
            product=order.product,
            pair=order.pair,
            order=number,
            client_id=order.client_id,
            side=order.side,
            held=order.held,
            opens=order.opens,
            cause=order.cause,
            price=price,
            size=size,
            value=size * price,
            fee_coin=coin,
            fee=fee,
            role="maker" if maker else "taker",
            realised=realised,
            time=time,
        )
        self.fills.put(fill)
        self._fills_of[number].append(fill)
        self._bill(order, fill)
        self._count(order, fill)
        return fill

    def cancel(self, number: int, time: int) -> None:
        """End an order as it is."""
        self._pass(time)
        order = self.open[number]
        if not order.opens:
            self._hold(order, order.filled - order.size)
        self._keep(order._replace(status="cancelled", updated=time))

    def finish(self, number: int, time: int | None = None) -> None:
        """Trade what is left of an open order at its price, at `now` if no time is given."""
        order = self.open[number]
        price = order.price or self._positions.marks[order.product, order.pair]
        self.fill(number, order.size - order.filled, price, self.now if time is None else time, maker=True)

    def fund(self, rate: Decimal, time: int) -> None:
        """Funding of every open position; `rate` is a part of its value."""
        self._pass(time)
        for (product, pair, held), position in self._positions.items():
            worth = position.size if pair.quote == "USD" else position.size * position.entry
            paid = (worth * rate).quantize(CENT)
            self._wallets.change(product, pair.settled, "funding", -paid, time, pair=pair, held=held)

    def price_of(self, product: Product, pair: Pair) -> Decimal:
        """The last price of a market."""
        return self._positions.marks.get((product, pair), FIRST_PRICE)

    def markets(self) -> list[tuple[Product, Pair]]:
        """The markets that have a price."""
        return list(self._positions.marks)

    def knows(self, product: Product, pair: Pair) -> bool:
        """Whether a market has a price."""
        return (product, pair) in self._positions.marks

    def mark(self, product: Product, pair: Pair, price: Decimal) -> None:
        """The last price of a market."""
        self._positions.marks[product, pair] = price

    def closable(self, product: Product, pair: Pair, held: Held) -> Decimal:
        """How much of a position no order closes yet; below zero for a short one."""
        position = self._positions.get((product, pair, held))
        if position is None:
            return ZERO
        return position.size - position.closing.copy_sign(position.size)

    def size_of(self, product: Product, pair: Pair, held: Held) -> Decimal:
        """How much of a position there is; below zero for a short one."""
        position = self._positions.get((product, pair, held))
        return ZERO if position is None else position.size

    def has(self, product: Product, coin: str) -> Decimal:
        """What a product's wallet has of a coin."""
        return self._wallets.has(product, coin)

    def order_of(self, *, number: int = 0, client_id: str = "") -> Order | None:
        """One order by an id."""
        return self.orders.find(number or self._by_client.get(client_id, 0))

    def fills_of(self, number: int) -> tuple[Fill, ...]:
        """The fills of an order, oldest first."""
        return tuple(self._fills_of.get(number, ()))

    def positions(self, product: Product) -> list[Position]:
        """A product's open positions."""
        return self._positions.told(product, hedged=self.facts.hedged)

    def balances(self, product: Product) -> list[Balance]:
        """The wallet of a product, coin by coin; that of all of them where the account is unified."""
        frozen: dict[str, Decimal] = defaultdict(Decimal)
        unrealised: dict[str, Decimal] = defaultdict(Decimal)
        for one in Product if self.facts.unified else (product,):
            for position in self.positions(one):
                frozen[position.pair.settled] += position.margin
                unrealised[position.pair.settled] += position.unrealised
            for order in self.open.values():
                if order.product is one:
                    coin, amount = frozen_by(order)
                    frozen[coin] += amount
        return [
            balance(coin, held, frozen[coin], unrealised[coin]) for coin, held in self._wallets.coins(product)
        ]

    def symbols(self, product: Product) -> list[Pair]:
        """Markets of a product in which there is an order, sorted."""
        return sorted({order.pair for order in self.orders.of(product)})

    def _pass(self, time: int) -> None:
        if time < self.now:
            raise ValueError(f"{time} is before {self.now}, when the last thing happened")
        self.now = time

    def _hold(self, order: Order, size: Decimal) -> None:
        position = self._positions.get((order.product, order.pair, order.held))
        if position is not None:
            position.closing += size

    def _traded(self, order: Order, size: Decimal, price: Decimal, time: int) -> Decimal:
        self.mark(order.product, order.pair, price)
        if order.product is Product.SPOT:
            return ZERO
        return self._positions.trade(
            (order.product, order.pair, order.held),
            order.side,
            size,
            price,
            opens=order.opens,
            leverage=order.leverage,
            time=time,
        )

    def _bill(self, order: Order, fill: Fill) -> None:
        changes = [(order.pair.settled, fill.realised)]
        if order.product is Product.SPOT:
            sign = 1 if order.side == "buy" else -1
            changes = [(order.pair.base, sign * fill.size), (order.pair.quote, -sign * fill.value)]
        for coin, amount in changes:
            fee = fill.fee if coin == fill.fee_coin else ZERO
            self._wallets.change(
                order.product, coin, "trade", amount, fill.time, fee=fee, pair=order.pair, order=order
            )
        if fill.fee_coin not in dict(changes):
            self._wallets.change(
                *(order.product, fill.fee_coin, "deduction", ZERO, fill.time),
                fee=fill.fee,
                pair=order.pair,
                order=order,
            )

    def _count(self, order: Order, fill: Fill) -> None:
        filled, value = order.filled + fill.size, order.value + fill.value
        self._keep(
            order._replace(
                filled=filled,
                value=value,
                average=(value / filled).quantize(CENT),
                fees=added(order.fees, fill.fee_coin, fill.fee),
                realised=order.realised + fill.realised,
                status="filled" if filled == order.size else "partially_filled",
                updated=fill.time,
            )
        )

    def _keep(self, order: Order) -> None:
        self.orders.put(order)
        if order.status in FINISHED:
            del self.open[order.number]
        else:
            self.open[order.number] = order
