"""What an account's history says about itself: whether orders, fills and bills agree. Pure.

Each check compares what two histories tell of the same thing. A row that a venue did not tell leaves a
difference behind, and the difference names where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from backend.core.windows import DAY, HOUR, Spans
from backend.trading.money import opposite, plain, total
from backend.trading.rows import Bill, Fill, Order, Product

LONGEST_LIFE = 90 * DAY
"""An order may rest for so long before it is filled: a fill soon after the beginning of what is held may be
of an order from before."""


class Check(StrEnum):
    """What is compared."""

    ORDER_OF_FILLS = "order_of_fills"
    FILLS_OF_ORDER = "fills_of_order"
    BALANCE_CHAIN = "balance_chain"
    FEES = "fees"


class Difference(NamedTuple):
    """What does not add up, at `time` (ms). `id` is an order's or a bill's; sums of an hour have none."""

    check: Check
    product: Product
    symbol: str
    coin: str
    id: str
    time: int
    expected: Decimal
    found: Decimal

    @property
    def sentence(self) -> str:
        """The same for people."""
        expected, found = plain(self.expected), plain(self.found)
        if self.check is Check.ORDER_OF_FILLS:
            return f"There are fills of {found} of the order {self.id}, but the order is not in the history."
        if self.check is Check.FILLS_OF_ORDER:
            return f"The order {self.id} says that {expected} was filled; its fills add up to {found}."
        if self.check is Check.BALANCE_CHAIN:
            return (
                f"After the bill {self.id} the balance is {found} {self.coin}; the bill before it and the "
                f"amount of this one give {expected}. A bill between them is missing."
            )
        return f"Fills of this hour paid {expected} {self.coin} of fees; bills of this hour took {found}."


@dataclass(slots=True)
class Proof:
    """`checked` counts what was compared, and `found` what differs; the first `most` differences are kept."""

    most: int
    checked: dict[Check, int] = field(default_factory=lambda: dict.fromkeys(Check, 0))
    found: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all that was compared adds up."""
        return not self.found

    def compare(self, difference: Difference) -> None:
        """Take in one comparison."""
        self.checked[difference.check] += 1
        if difference.expected != difference.found:
            self.found += 1
            if len(self.differences) < self.most:
                self.differences.append(difference)


def check_order(
    proof: Proof, order: Order | None, fills: Sequence[Fill], *, orders_held: Spans, fills_held: Spans
) -> None:
    """Compare an order with all its fills, as far as both histories are held over its whole life."""
    filled = total(fill.size for fill in fills)
    if order is not None:
        if covers(fills_held, order.created, order.updated):
            where = (order.product, order.symbol, "", order.order_id, order.created)
            proof.compare(Difference(Check.FILLS_OF_ORDER, *where, order.filled, filled))
        return
    first = fills[0]
    if first.order_id and covers(orders_held, first.time - LONGEST_LIFE, first.time):
        where = (first.product, first.symbol, "", first.order_id, first.time)
        proof.compare(Difference(Check.ORDER_OF_FILLS, *where, Decimal(0), filled))


class BalanceChain:
    """Follows the balance of one coin of one wallet from bill to bill, oldest first.

    A venue's amount is with its fee or without: whichever holds more often is what it means. Where neither
    holds for half of the bills, the venue means something else by a balance, and nothing is compared.
    """

    def __init__(self, most: int, held: Spans) -> None:
        self._fee_apart = _Reading(most, held, fee_counts=True)
        self._fee_within = _Reading(most, held, fee_counts=False)
        self._moment: list[Bill] = []

    def add(self, bill: Bill) -> None:
        """The next bill."""
        if bill.balance is None:
            return
        if self._moment and self._moment[0].time != bill.time:
            self._close()
        self._moment.append(bill)

    def finish(self, proof: Proof) -> None:
        """Tell `proof` what was compared."""
        self._close()
        better = min(self._fee_apart.proof, self._fee_within.proof, key=lambda one: one.found)
        if 2 * better.found > better.checked[Check.BALANCE_CHAIN]:
            return
        proof.checked[Check.BALANCE_CHAIN] += better.checked[Check.BALANCE_CHAIN]
        proof.found += better.found
        proof.differences += better.differences[: proof.most - len(proof.differences)]

    def _close(self) -> None:
        if self._moment:
            self._fee_apart.take(self._moment)
            self._fee_within.take(self._moment)
            self._moment = []


class _Reading:
    """A chain of balances, read in one of the two ways. `fee_counts`: the fee is taken beside the amount."""

    def __init__(self, most: int, held: Spans, *, fee_counts: bool) -> None:
        self.proof = Proof(most)
        self._held = held
        self._fee_counts = fee_counts
        self._balance: Decimal | None = None
        self._before = 0

    def take(self, moment: Sequence[Bill]) -> None:
        """The bills of one ms come in any order: the balance after them is that to which all of them lead."""
        fee = total(bill.fee or Decimal(0) for bill in moment) if self._fee_counts else Decimal(0)
        last = moment[-1]
        if self._balance is not None:
            expected = total((self._balance, *(bill.amount for bill in moment), opposite(fee)))
            last = next((bill for bill in moment if bill.balance == expected), last)
            if covers(self._held, self._before, last.time):
                where = (last.product, last.symbol, last.coin, last.bill_id, last.time)
                balance = last.balance or Decimal(0)
                self.proof.compare(Difference(Check.BALANCE_CHAIN, *where, expected, balance))
        self._balance, self._before = last.balance, last.time


class FeeSums:
    """Compares the fees of fills with what bills took, hour by hour and coin by coin.

    `fee_words` are a venue's words for bills whose amount itself is a fee; any other counts by its own fee.
    """

    def __init__(self, product: Product, fee_words: Collection[str], held: Spans) -> None:
        self._product = product
        self._fee_words = fee_words
        self._held = held
        self._paid: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
        self._took: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)

    def add_fill(self, fill: Fill) -> None:
        for fee in fill.fees:
            key = (fill.time // HOUR, fee.coin)
            self._paid[key] = total((self._paid[key], fee.paid))

    def add_bill(self, bill: Bill) -> None:
        taken = opposite(bill.amount) if bill.kind in self._fee_words else bill.fee
        if taken:
            key = (bill.time // HOUR, bill.coin)
            self._took[key] = total((self._took[key], taken))

    def finish(self, proof: Proof) -> None:
        """Tell `proof` of every hour that is held whole. A coin of which bills tell no fee at all is left
        out: there the venue does not tell them."""
        told = {coin for _, coin in self._took}
        for hour, coin in sorted(self._paid.keys() | self._took.keys()):
            if coin in told and covers(self._held, hour * HOUR, (hour + 1) * HOUR - 1):
                where = (self._product, "", coin, "", hour * HOUR)
                paid, took = self._paid[hour, coin], self._took[hour, coin]
                proof.compare(Difference(Check.FEES, *where, paid, took))


def covers(spans: Spans, first: int, last: int) -> bool:
    """Whether all moments from `first` to `last` are in one of the spans."""
    return any(span.start <= first and last < span.end for span in spans)
