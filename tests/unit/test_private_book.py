"""The book of a simulated account: balances chain, fills sum to orders, positions follow from fills."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.private.book import Book, Facts
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.rows import FINISHED, FUTURES, Fees, Pair, Product
from tests.simulator.private.wallets import CENT
from tests.simulator.times import DAY

BTC = Pair("BTC", "USDT")

books = st.builds(
    generated,
    seed=st.integers(0, 2**32),
    orders=st.integers(20, 80),
    days=st.integers(1, 5),
    symbols=st.integers(1, 3),
    products=st.lists(st.sampled_from(Product), min_size=1, unique=True),
    facts=st.builds(Facts, unified=st.booleans(), hedged=st.booleans()),
)
"""Books of any seed, small ones."""

few = settings(max_examples=40)


@few
@given(books)
def test_each_balance_is_the_one_before_and_what_the_bill_says(book: Book) -> None:
    unified = book.facts.unified
    held: dict[tuple[Product | None, str], Decimal] = defaultdict(Decimal)
    for bill in book.bills:
        key = None if unified else bill.product, bill.coin
        held[key] += bill.amount - bill.fee
        assert bill.balance == held[key]
    for product in {bill.product for bill in book.bills}:
        told = {one.coin: one.balance for one in book.balances(product)}
        assert told == {coin: held[wallet, coin] for wallet, coin in held if wallet in (None, product)}


@few
@given(books)
def test_fills_sum_to_their_orders(book: Book) -> None:
    for order in book.orders:
        fills = book.fills_of(order.number)
        assert order.filled == sum(fill.size for fill in fills) <= order.size
        assert order.value == sum(fill.value for fill in fills)
        assert order.realised == sum(fill.realised for fill in fills)
        paid: Counter[str] = Counter()
        for fill in fills:
            paid[fill.fee_coin] += fill.fee  # type: ignore[assignment]
        assert dict(order.fees) == dict(paid)
        assert (order.status == "filled") is (order.filled == order.size)
        assert (order.number in book.open) is (order.status not in FINISHED)
        if fills:
            assert order.average == (order.value / order.filled).quantize(CENT)
            assert order.created <= fills[0].time <= fills[-1].time <= order.updated


@few
@given(books)
def test_positions_follow_from_fills(book: Book) -> None:
    sizes: dict[tuple[Product, Pair, str], Decimal] = defaultdict(Decimal)
    for fill in book.fills:
        if fill.product is not Product.SPOT:
            sizes[fill.product, fill.pair, fill.held] += fill.size if fill.side == "buy" else -fill.size
    told = {
        (one.product, one.pair, one.held): -one.size if one.held == "short" else one.size
        for product in FUTURES
        for one in book.positions(product)
    }
    assert told == {key: size for key, size in sizes.items() if size}


@few
@given(books)
def test_realised_profits_and_fees_are_what_the_bills_say(book: Book) -> None:
    earned: dict[str, Decimal] = defaultdict(Decimal)
    for fill in book.fills:
        if fill.product is not Product.SPOT:
            earned[fill.pair.settled] += fill.realised
            earned[fill.fee_coin] -= fill.fee
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for bill in book.bills:
        if bill.product is not Product.SPOT and bill.kind in ("trade", "deduction"):
            billed[bill.coin] += bill.amount - bill.fee
    assert earned == billed


@few
@given(books)
def test_ids_are_different_and_in_the_order_of_time(book: Book) -> None:
    everything = [*book.orders, *book.fills, *book.bills, *book.plans]
    assert len({row.number for row in everything}) == len(everything)
    for rows in (book.orders, book.fills, book.bills, book.plans):
        times = [row.time for row in rows]
        assert times == sorted(times)
    assert all(10**18 <= row.number < 2**63 for row in everything)


def test_a_seed_makes_one_book() -> None:
    one, same, other = (generated(seed=seed, orders=50) for seed in (3, 3, 4))
    assert list(one.bills) == list(same.bills)
    assert list(one.orders) == list(same.orders) != list(other.orders)


def test_a_book_has_all_that_happens_to_accounts() -> None:
    book = generated(seed=5, orders=4000, days=100)
    orders, bills = list(book.orders), list(book.bills)
    assert len(orders) == 4000
    assert {order.cause for order in orders} == {"normal", "plan", "liquidation", "adl"}
    assert {order.status for order in orders} == {"open", "partially_filled", "filled", "cancelled"}
    assert any(order.status == "cancelled" and order.filled for order in orders)
    assert any(order.status == "cancelled" and not order.filled for order in orders)
    assert {bill.kind for bill in bills} == {"trade", "funding", "deduction", "transfer_in", "transfer_out"}
    of_a_moment = Counter((order.product, order.created) for order in orders)
    assert max(of_a_moment.values()) > 1
    assert any(
        one.time == next_one.time and one.order == next_one.order
        for order in orders
        for one, next_one in zip(book.fills_of(order.number), book.fills_of(order.number)[1:], strict=False)
    )
    assert {plan.order for plan in book.plans} == {order.number for order in orders if order.plan}
    assert {order.product for order in orders} == set(Product)
    assert NOW - 100 * DAY < orders[0].created < orders[-1].created < NOW == book.now


def test_a_test_can_write_a_book_by_hand() -> None:
    book = Book(now=NOW)
    book.transfer(Product.USDT, "USDT", Decimal(1000), NOW)
    opened = book.place(Product.USDT, BTC, "buy", Decimal("0.2"), NOW + 1, price=Decimal(100), held="long")
    book.fill(opened.number, Decimal("0.1"), Decimal(100), NOW + 2, maker=True)
    book.finish(opened.number, NOW + 3)
    closing = book.place(Product.USDT, BTC, "sell", Decimal("0.2"), NOW + 4, held="long", opens=False)
    assert book.closable(Product.USDT, BTC, "long") == 0
    book.fill(closing.number, Decimal("0.1"), Decimal(150), NOW + 5, fee_in="BGB")
    book.cancel(closing.number, NOW + 6)
    fees: Fees = (("USDT", Decimal("0.00400000")),)
    first, second = book.orders
    assert (first.fees, first.average, first.status) == (fees, Decimal(100), "filled")
    assert (second.realised, second.status) == (Decimal(5), "cancelled")
    (position,) = book.positions(Product.USDT)
    assert (position.size, position.entry, position.unrealised) == (Decimal("0.1"), Decimal(100), Decimal(5))
    told = {one.coin: one for one in book.balances(Product.USDT)}
    assert told["USDT"].balance == Decimal("1004.996")
    assert (told["USDT"].frozen, told["USDT"].equity) == (Decimal(1), Decimal("1009.996"))
    assert told["BGB"].balance == Decimal("-0.009")
    assert book.closable(Product.USDT, BTC, "long") == Decimal("0.1")


def test_nothing_happens_before_what_happened() -> None:
    book = Book(now=NOW)
    with pytest.raises(ValueError, match="is before"):
        book.transfer(Product.USDT, "USDT", Decimal(1), NOW - 1)


def test_more_symbols_than_there_are_names_for_are_refused() -> None:
    with pytest.raises(ValueError, match="symbols"):
        generated(symbols=13)
