"""Makes the history of an account from a seed: the same seed makes the same book."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from heapq import heappop, heappush
from random import Random

from tests.simulator.private.book import Book, Facts
from tests.simulator.private.generator_markets import BASES, Market, markets
from tests.simulator.private.rows import Cause, Held, Order, Product, Side
from tests.simulator.times import DAY, HOUR

NOW = 1_767_225_600_000
"""2026-01-01T00:00Z, where a book ends if nothing else is said."""

FUNDED = 8 * HOUR


def generated(
    *,
    seed: int = 1,
    orders: int = 200,
    days: int = 60,
    now: int = NOW,
    products: Sequence[Product] = tuple(Product),
    symbols: int = 4,
    open_orders: int = 3,
    fee_coin: str = "BGB",
    facts: Facts | None = None,
) -> Book:
    """An account's book of `days` before `now` (ms), of so many orders over so many symbols a product.

    It has rows of one ms, orders that are filled in parts, by hours or not at all, plans, liquidations, ADL,
    funding, transfers, and fees in another coin (`fee_coin`). About `open_orders` are open at the end. Raises
    ValueError where there are more symbols than we know names for.
    """
    if not 0 < symbols <= len(BASES):
        raise ValueError(f"there are 1 to {len(BASES)} symbols, not {symbols}")
    book = Book(facts, now=now - days * DAY)
    maker = Maker(book, Random(seed), markets(products, symbols), fee_coin)
    maker.deposit()
    maker.trade(_times(maker.random, book.now + 1, now - 3 * HOUR, max(orders - open_orders, 0)))
    maker.leave_open(min(open_orders, orders), now)
    return book


class Maker:
    """Trades in a book, event after event."""

    def __init__(self, book: Book, random: Random, markets: list[Market], fee_coin: str) -> None:
        self.random = random
        self._book = book
        self._markets = markets
        self._fee_coin = fee_coin
        self._due: list[tuple[int, int, Market, int, int]] = []
        """What happens later: moment, a number that orders ties, market, order, lots (0 cancels)."""
        self._ties = 0
        self._funding = book.now - book.now % FUNDED + FUNDED

    def deposit(self) -> None:
        """Money comes into each wallet."""
        book = self._book
        for product in sorted({market.product for market in self._markets}):
            of = [market for market in self._markets if market.product is product]
            coins = {market.pair.settled for market in of} | {self._fee_coin}
            if product is Product.SPOT:
                coins |= {market.pair.base for market in of}
            for coin in sorted(coins):
                book.transfer(product, coin, Decimal(10_000_000), book.now)

    def trade(self, times: Sequence[int]) -> None:
        """Place an order at each moment, and let happen what is due between."""
        for time in times:
            self._pass(time)
            self._order(time)
        while self._due:
            self._pass(self._due[0][0])

    def leave_open(self, count: int, now: int) -> None:
        """Rest so many limit orders, the last of them a part filled."""
        spread = sorted(self._markets, key=lambda market: market.pair)
        for number in range(count):
            market = spread[number % len(spread)]
            price = market.price()
            order = self._placed(market, now - 60_000 + number, 10, price, None)
            if order.size > market.size(1) and number == count - 1:
                self._book.fill(order.number, market.size(1), price, now - 30_000, maker=True)
        self._book.now = now

    def _pass(self, time: int) -> None:
        """Let happen what is due until a moment: fills, cancels, funding."""
        while True:
            due = self._due[0][0] if self._due else time + 1
            if self._funding <= min(time, due):
                self._book.fund(Decimal(self.random.randrange(-10, 20)).scaleb(-5), self._funding)
                self._funding += FUNDED
            elif due <= time:
                moment, _, market, number, lots = heappop(self._due)
                self._happen(moment, market, number, lots)
            else:
                return

    def _happen(self, time: int, market: Market, number: int, lots: int) -> None:
        if not lots:
            self._book.cancel(number, time)
            return
        order = self._book.open[number]
        price = order.price or market.walk(self.random)
        fee_in = self._fee_coin if number >> 23 & 7 == 0 else ""
        maker = order.kind == "limit"
        self._book.fill(number, market.size(lots), price, time, maker=maker, fee_in=fee_in)

    def _order(self, time: int) -> None:
        random = self.random
        market = random.choice(self._markets)
        price = market.walk(random)
        chance = random.random()
        if chance < 0.005 and self._forced(market, time, "liquidation" if chance < 0.003 else "adl"):
            return
        if chance > 0.99:
            self._book.transfer(
                market.product, market.pair.settled, Decimal(random.randrange(-500, 500) or 1), time
            )
        limit = price if chance < 0.6 else None
        trigger = price if random.random() < 0.05 else None
        order = self._placed(market, time, 1 + int(random.random() * 39), limit, trigger)
        self._schedule(market, order, time)

    def _forced(self, market: Market, time: int, cause: Cause) -> bool:
        """The venue closes what no order closes yet, at once."""
        for held in self._sides(market):
            left = self._book.closable(market.product, market.pair, held)
            if left:
                side: Side = "sell" if left > 0 else "buy"
                order = self._book.place(
                    *(market.product, market.pair, side, abs(left), time),
                    held=held,
                    opens=False,
                    cause=cause,
                )
                self._book.fill(order.number, abs(left), market.price(), time)
                return True
        return False

    def _sides(self, market: Market) -> tuple[Held, ...]:
        if market.product is Product.SPOT:
            return ()
        return ("long", "short") if self._book.facts.hedged else ("net",)

    def _placed(
        self, market: Market, time: int, lots: int, price: Decimal | None, trigger: Decimal | None
    ) -> Order:
        """An order that the account can afford; half of those where there is a position close some of it."""
        book, random = self._book, self.random
        side: Side = "buy" if random.random() < 0.5 else "sell"
        held: Held = ""
        opens = True
        size = market.size(lots)
        if market.product is not Product.SPOT:
            held = random.choice(self._sides(market))
            left = book.closable(market.product, market.pair, held)
            opens = not left or random.random() < 0.5
            if not opens:
                size = min(size, abs(left))
            side = self._direction(market, held, side, opens=opens)
        return book.place(
            *(market.product, market.pair, side, size, time),
            price=price,
            held=held,
            opens=opens,
            cause="normal" if trigger is None else "plan",
            trigger=trigger,
        )

    def _direction(self, market: Market, held: Held, drawn: Side, *, opens: bool) -> Side:
        """Which way a futures order trades: no order turns a position round."""
        long = held == "long"
        if held == "net":
            size = self._book.size_of(market.product, market.pair, held)
            waiting = [
                order.side == "buy"
                for order in self._book.open.values()
                if order.opens and (order.product, order.pair) == (market.product, market.pair)
            ]
            if not size and not waiting:
                return drawn
            long = size > 0 if size else waiting[0]
        return "buy" if long == opens else "sell"

    def _schedule(self, market: Market, order: Order, time: int) -> None:
        """Decide how an order goes on: in parts of one ms or of hours, in the end cancelled or filled."""
        random = self.random
        left = market.lots(order.size)
        fate = random.random()
        parts = 1 if fate < 0.6 else 2 + int(random.random() * 3)
        ends_early = order.kind == "limit" and fate > 0.8
        if ends_early:
            left = random.randrange(left)
        spread = 1 if order.kind == "market" else random.choice((1, 1000, 2 * HOUR))
        for part in range(parts, 0, -1):
            lots = left if part == 1 else left // part
            left -= lots
            if lots:
                self._plan(time + int(random.random() * spread), market, order, lots)
        if ends_early:
            self._plan(time + spread, market, order, 0)

    def _plan(self, time: int, market: Market, order: Order, lots: int) -> None:
        self._ties += 1
        heappush(self._due, (time, self._ties, market, order.number, lots))


def _times(random: Random, start: int, end: int, count: int) -> list[int]:
    """Moments of orders, some of them the same."""
    times = sorted(random.randrange(start, end) for _ in range(count))
    for place in range(1, count):
        if random.random() < 0.05:
            times[place] = times[place - 1]
    return times
