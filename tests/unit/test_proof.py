"""What does not add up is named: an order, a fill or a bill that a venue did not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.windows import DAY, HOUR, Spans, Window
from backend.trading.proof import BalanceChain, Check, FeeSums, Proof, check_order
from backend.trading.rows import Bill, Fill, Order
from tests.traded import USDT, Book, traded

START, END = 1000 * DAY, 1040 * DAY
HELD: Spans = (Window(START - 200 * DAY, END),)
BOOK = traded(3, 80, START, END)


def proof_of(book: Book, held: Spans = HELD) -> Proof:
    proof = Proof(100)
    by_order: dict[str, list[Fill]] = {}
    for fill in book.fills:
        by_order.setdefault(fill.order_id, []).append(fill)
    for order in book.orders:
        check_order(proof, order, by_order.pop(order.order_id, []), orders_held=held, fills_held=held)
    for fills in by_order.values():
        check_order(proof, None, fills, orders_held=held, fills_held=held)
    chain, sums = BalanceChain(100, held), FeeSums(USDT, {}, held)
    for bill in sorted(book.bills, key=lambda one: (one.time, one.bill_id)):
        chain.add(bill)
        sums.add_bill(bill)
    for fill in book.fills:
        sums.add_fill(fill)
    chain.finish(proof)
    sums.finish(proof)
    return proof


def without(rows: Sequence[object], place: int) -> list[object]:
    return [*rows[:place], *rows[place + 1 :]]


@given(st.integers(0, 50))
def test_a_whole_history_adds_up(seed: int) -> None:
    proof = proof_of(traded(seed, 40, START, END))
    assert proof.differences == []
    assert proof.holds
    assert all(proof.checked[check] for check in Check if check is not Check.ORDER_OF_FILLS)


FILLED = [place for place, order in enumerate(BOOK.orders) if order.filled]


@given(st.sampled_from(FILLED))
def test_an_order_that_was_not_told_is_named(place: int) -> None:
    missing = BOOK.orders[place]
    orders: list[Order] = without(BOOK.orders, place)  # type: ignore[assignment]
    proof = proof_of(replace(BOOK, orders=orders))
    assert [(one.check, one.id) for one in proof.differences] == [(Check.ORDER_OF_FILLS, missing.order_id)]
    assert missing.order_id in proof.differences[0].sentence


@given(st.integers(0, len(BOOK.fills) - 1))
def test_a_fill_that_was_not_told_is_named_by_its_order(place: int) -> None:
    missing = BOOK.fills[place]
    fills: list[Fill] = without(BOOK.fills, place)  # type: ignore[assignment]
    proof = proof_of(replace(BOOK, fills=fills))
    named = {one.check: one for one in proof.differences}
    assert named[Check.FILLS_OF_ORDER].id == missing.order_id
    assert named[Check.FILLS_OF_ORDER].expected - named[Check.FILLS_OF_ORDER].found == missing.size
    assert named[Check.FEES].time <= missing.time < named[Check.FEES].time + HOUR


@given(st.integers(1, len(BOOK.bills) - 2))
def test_a_bill_that_was_not_told_is_named_by_the_one_behind_it(place: int) -> None:
    bills: list[Bill] = without(BOOK.bills, place)  # type: ignore[assignment]
    missing = BOOK.bills[place]
    proof = proof_of(replace(BOOK, bills=bills))
    if missing.amount or missing.fee:
        (broken,) = [one for one in proof.differences if one.check is Check.BALANCE_CHAIN]
        behind = [bill.bill_id for bill in BOOK.bills if bill.time >= missing.time]
        assert broken.id in behind[:8]
        assert broken.found - broken.expected == missing.amount - (missing.fee or 0)


def test_a_balance_that_means_something_else_is_not_compared() -> None:
    strange = [replace(bill, balance=Decimal(place**2)) for place, bill in enumerate(BOOK.bills)]
    assert proof_of(replace(BOOK, bills=strange)).checked[Check.BALANCE_CHAIN] == 0
    none = [replace(bill, balance=None) for bill in BOOK.bills]
    assert proof_of(replace(BOOK, bills=none)).checked[Check.BALANCE_CHAIN] == 0


def test_amounts_with_their_fee_chain_too() -> None:
    within = [replace(bill, amount=bill.amount - (bill.fee or 0)) for bill in BOOK.bills]
    proof = proof_of(replace(BOOK, bills=within))
    assert proof.checked[Check.BALANCE_CHAIN] > 0
    assert proof.holds


@pytest.mark.parametrize("held", [(), (Window(START + 10 * DAY, START + 20 * DAY),)])
def test_what_is_not_held_is_not_compared(held: Spans) -> None:
    part = replace(
        BOOK,
        fills=[fill for fill in BOOK.fills if any(one.start <= fill.time < one.end for one in held)],
        bills=[bill for bill in BOOK.bills if any(one.start <= bill.time < one.end for one in held)],
    )
    assert proof_of(part, held).holds


def test_no_more_differences_are_kept_than_were_asked_for_and_all_are_counted() -> None:
    proof = Proof(2)
    for order in BOOK.orders:
        check_order(proof, replace(order, filled=Decimal(1)), [], orders_held=HELD, fills_held=HELD)
    assert (len(proof.differences), proof.found) == (2, len(BOOK.orders))
    assert not proof.holds
    assert all(list(group) for _, group in groupby(proof.differences))


@given(st.permutations(range(4)), st.booleans())
def test_bills_of_one_moment_may_come_in_any_order(order: list[int], fee_counts: bool) -> None:
    """Also where an amount without a fee stands beside a fee without an amount."""
    first = replace(BOOK.bills[0], amount=Decimal(0), fee=None, balance=Decimal(1000), time=START)
    changes = [
        (Decimal(-498), Decimal(0)),
        (Decimal(0), Decimal("0.3")),
        (Decimal(7), None),
        (Decimal(1), None),
    ]
    moment, balance = [], Decimal(1000)
    for place, (amount, fee) in enumerate(changes):
        balance += amount - (fee or 0)
        told = amount if fee_counts else amount - (fee or 0)
        moment.append(
            replace(first, bill_id=f"m{place}", amount=told, fee=fee, balance=balance, time=START + 1)
        )
    last = replace(first, bill_id="last", amount=Decimal(5), balance=balance + 5, time=START + 2)
    chain, proof = BalanceChain(10, HELD), Proof(10)
    for bill in (first, *(moment[place] for place in order), last):
        chain.add(bill)
    chain.finish(proof)
    assert proof.checked[Check.BALANCE_CHAIN] == 2
    assert proof.holds
