"""A paper account by hand: every number of these tests was computed with a pencil."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.quotes import FundingRate, Level, OrderBook, Ticker
from backend.core.windows import MINUTE
from backend.trading.money import total
from backend.trading.paper import paper_margin, paper_matching
from backend.trading.paper.paper_book import Instrument, Lever, PaperBook, PaperRefused, Terms
from backend.trading.paper.paper_time import Bar, see_bar, see_ticker
from backend.trading.rows import FeeRates, Order, Product, Status
from backend.trading.rules import Rules
from backend.trading.tickets import Force, Ticket

NOW = 1_800_000_000_000 // MINUTE * MINUTE
USDT = Product.PERPETUAL_USDT
RATES = FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
RULES = Rules(price_step=Decimal("0.1"), size_step=Decimal("0.001"))
PERPETUAL = Instrument(product=USDT, symbol="BTCUSDT", base="BTC", quote="USDT", rules=RULES)
SPOT = Instrument(product=Product.SPOT, symbol="BTCUSDT", base="BTC", quote="USDT", rules=RULES)
HERE = (USDT, "BTCUSDT")
ISOLATED = Lever(product=USDT, symbol="BTCUSDT", long=Decimal(10), short=Decimal(10), margin_mode="isolated")


def d(text: str | int) -> Decimal:
    return Decimal(text)


def book_with(money: int = 10_000, *, hedged: bool = False, leverage: int = 10) -> PaperBook:
    terms = Terms(spot=RATES, perpetual=RATES, leverage=Decimal(leverage))
    made = PaperBook(terms=terms, hedged=hedged)
    for product in (USDT, Product.SPOT):
        made.pay(product, "USDT", "transfer_in", Decimal(money), NOW)
    return made


def offers(bid: str, ask: str, size: str = "100") -> OrderBook:
    return OrderBook((Level(d(bid), d(size)),), (Level(d(ask), d(size)),))


def place(
    book: PaperBook,
    side: str,
    size: str,
    price: str | None = None,
    *,
    at: OrderBook | None = None,
    **more: Any,
) -> Order:
    market = SPOT if more.get("product") is Product.SPOT else PERPETUAL
    given: dict[str, Any] = {
        "product": USDT,
        "symbol": "BTCUSDT",
        "side": side,
        "size": d(size) if size else None,
    }
    ticket = Ticket(**(given | {"price": None if price is None else d(price)} | more))
    return paper_matching.place(book, market, ticket, f"own{book.number}", at or offers("99", "100"), NOW)


def bar(minute: int, prices: str, volume: str = "1000") -> Bar:
    opened, high, low, close = map(d, prices.split())
    return Bar(NOW + (minute + 1) * MINUTE, opened, high, low, close, d(volume))


def cash(book: PaperBook, product: Product = USDT, coin: str = "USDT") -> Decimal:
    return book.has(product, coin)


def test_a_market_order_takes_level_by_level_and_a_close_settles_exactly() -> None:
    book = book_with()
    levels = OrderBook((), (Level(d(100), d(1)), Level(d(101), d(5))))
    row = place(book, "buy", "3", at=levels)
    assert (row.status, row.filled, row.average_price) == (Status.FILLED, d(3), d("100.666666666666"))
    assert [(fill.price, fill.size) for fill in book.fills] == [(d(100), d(1)), (d(101), d(2))]
    [lot] = book.lots
    assert (lot.size, lot.cost) == (d(3), d(302))
    assert cash(book) == d(10_000) - d("0.151")  # 302 x 0.0005
    place(book, "sell", "1", at=offers("110", "111"))
    [lot] = book.lots
    assert lot.size == 2
    place(book, "sell", "2", at=offers("110", "111"))
    assert not book.lots
    assert cash(book) == d(10_000) - d("0.151") + d(330) - d(302) - d("0.165")
    assert total(fill.realised or d(0) for fill in book.fills) == d(28)


def test_one_position_a_symbol_turns_over_to_the_other_side() -> None:
    book = book_with()
    place(book, "buy", "2")
    place(book, "sell", "5", at=offers("120", "121"))
    [lot] = book.lots
    assert (lot.size, lot.cost) == (d(-3), d(-360))
    assert book.fills[-1].realised == d(40)
    place(book, "buy", "9", at=offers("109", "110"), reduce_only=True)
    assert not book.lots
    assert book.fills[-1].realised == d(30)
    with pytest.raises(PaperRefused, match="no position to close"):
        place(book, "sell", "1", reduce_only=True)


def test_long_and_short_stand_side_by_side_where_the_account_is_hedged() -> None:
    book = book_with(hedged=True)
    place(book, "buy", "1", held="long")
    place(book, "sell", "2", held="short")
    assert {(lot.held, lot.size) for lot in book.lots} == {("long", d(1)), ("short", d(-2))}
    with pytest.raises(PaperRefused, match="long and short positions"):
        place(book, "buy", "1")
    place(book, "buy", "5", held="short", at=offers("89", "90"))
    assert [lot.held for lot in book.lots] == ["long"]
    assert book.fills[-1].realised == d(18)


def test_a_limit_order_rests_and_is_filled_at_its_own_price_as_far_as_is_offered() -> None:
    book = book_with()
    row = place(book, "buy", "2", "95")
    assert (row.status, row.filled) == (Status.OPEN, d(0))
    see_ticker(book, HERE, Ticker(last=d(96), bid=d(95), ask=d("95.1")), NOW)
    assert not book.fills
    see_ticker(book, HERE, Ticker(last=d(95), bid=d(94), ask=d(95), ask_size=d("0.5")), NOW + 1000)
    assert [(one.filled, one.left) for one in book.resting] == [(d("0.5"), d("1.5"))]
    see_ticker(book, HERE, Ticker(last=d(93), bid=d(92), ask=d(93), ask_size=d(9)), NOW + 2000)
    assert not book.resting
    done = book.orders[-1]
    assert (done.status, done.average_price) == (Status.FILLED, d(95))
    assert [fill.role for fill in book.fills] == ["maker", "maker"]
    assert cash(book) == d(10_000) - d("0.038")  # 190 x 0.0002


def test_a_candle_fills_what_it_trades_through_and_nothing_that_it_touches() -> None:
    book = book_with()
    place(book, "buy", "2", "95")
    see_bar(book, HERE, bar(0, "99 100 95 97"))
    assert not book.fills
    see_bar(book, HERE, bar(1, "97 98 94 95", volume="0.5"))
    assert [(fill.price, fill.size) for fill in book.fills] == [(d(95), d("0.5"))]
    see_bar(book, HERE, bar(2, "95 96 90 91"))
    assert book.orders[-1].status is Status.FILLED


def test_a_candle_meets_no_order_that_came_after_it_began() -> None:
    book = book_with()
    place(book, "buy", "2", "95")
    late = bar(0, "99 100 90 97")._replace(time=NOW + MINUTE - 1)
    see_bar(book, HERE, late)
    assert not book.fills


def test_two_orders_share_what_a_candle_traded_the_better_price_first() -> None:
    book = book_with()
    place(book, "buy", "2", "94")
    place(book, "buy", "2", "95")
    see_bar(book, HERE, bar(0, "99 100 90 97", volume="3"))
    assert [(fill.price, fill.size) for fill in book.fills] == [(d(95), d(2)), (d(94), d(1))]


@pytest.mark.parametrize(
    ("force", "price", "expected"),
    [
        (Force.IOC, "100", (Status.CANCELLED, 1)),
        (Force.FOK, "100", (Status.CANCELLED, 0)),
        (Force.FOK, "101", (Status.FILLED, 3)),
        (Force.GTC, "100", (Status.PARTIALLY_FILLED, 1)),
        (Force.POST_ONLY, "99.5", (Status.OPEN, 0)),
    ],
)
def test_how_long_a_limit_order_stays(force: Force, price: str, expected: tuple[Status, int]) -> None:
    book = book_with()
    levels = OrderBook((), (Level(d(100), d(1)), Level(d(101), d(5))))
    row = place(book, "buy", "3", price, at=levels, force=force)
    assert (row.status, row.filled) == (expected[0], d(expected[1]))


def test_a_post_only_order_that_would_take_is_refused() -> None:
    with pytest.raises(PaperRefused, match="post-only"):
        place(book_with(), "buy", "1", "100", force=Force.POST_ONLY)


def test_a_market_order_beyond_the_offers_ends_unfilled_and_without_any_is_refused() -> None:
    book = book_with(money=1_000_000)
    row = place(book, "buy", "300")
    assert (row.status, row.filled) == (Status.CANCELLED, d(100))
    with pytest.raises(PaperRefused, match="nobody offers"):
        place(book, "buy", "1", at=OrderBook((), ()))


def test_margin_is_needed_held_back_and_given_back() -> None:
    book = book_with(money=100)
    with pytest.raises(PaperRefused, match=r"not enough USDT: the order needs 105\.5"):
        place(book, "buy", "10.5", "100", at=OrderBook((), ()))
    row = place(book, "buy", "9", "100", at=offers("99", "110"))
    [wallet] = paper_margin.balances(book, USDT)
    assert (wallet.available, wallet.frozen, wallet.equity) == (d(10), d(90), d(100))
    paper_matching.cancel(book, row.order_id, "", NOW)
    [wallet] = paper_margin.balances(book, USDT)
    assert (wallet.available, wallet.frozen) == (d(100), d(0))


def test_a_crossed_position_is_lost_where_the_wallet_no_longer_keeps_it() -> None:
    """1 x 100 with 20 USDT less the fee of 0.05: kept while 19.95 + price - 100 > 0.005 x price."""
    book = book_with(money=20)
    place(book, "buy", "1")
    [lot] = book.lots
    limit = paper_margin.liquidation_price(book, lot)
    assert limit is not None
    assert limit.quantize(d("0.0001")) == d("80.4523")  # 80.05 / 0.995
    see_bar(book, HERE, bar(0, "100 101 81 82"))
    assert book.lots
    see_bar(book, HERE, bar(1, "82 83 70 71"))
    assert not book.lots
    assert book.orders[-1].source == "liquidation"
    assert book.orders[-1].average_price == limit
    assert 0 < cash(book) < 1


def test_nobody_owes_more_than_stood_for_a_position() -> None:
    book = book_with(money=20)
    place(book, "buy", "1")
    see_ticker(book, HERE, Ticker(last=d(50)), NOW + 1000)
    assert not book.lots
    assert cash(book) == 0
    assert book.bills[-1].kind == "insurance"


def test_an_isolated_position_is_lost_alone_and_with_its_margin_alone() -> None:
    book = book_with()
    book.set_lever(ISOLATED)
    place(book, "sell", "10", at=offers("100", "101"))
    [lot] = book.lots
    assert (lot.margin, lot.isolated) == (d(100), True)
    see_ticker(book, HERE, Ticker(last=d(150)), NOW + 1000)
    assert not book.lots
    assert cash(book) == d(10_000) - d("0.5") - d(100)


def test_a_stop_loss_fires_before_a_take_profit_and_ends_it() -> None:
    book = book_with()
    place(book, "buy", "2", take_profit=d(110), stop_loss=d(90))
    assert {(one.cause, one.size) for one in book.triggers} == {("take_profit", d(2)), ("stop_loss", d(2))}
    see_bar(book, HERE, bar(0, "100 120 80 100"))
    assert (book.lots, book.triggers) == ([], [])
    assert (book.orders[-1].source, book.orders[-1].average_price) == ("stop_loss", d(90))


def test_a_take_profit_fires_for_as_much_as_its_order_opened() -> None:
    book = book_with()
    place(book, "buy", "2", "95", take_profit=d(105))
    assert not book.triggers
    see_bar(book, HERE, bar(0, "100 120 94 100", volume="1"))
    assert [one.size for one in book.triggers] == [d(1)]
    see_bar(book, HERE, bar(1, "106 120 100 110", volume="0"))
    assert (book.orders[-1].source, book.orders[-1].average_price) == ("take_profit", d(106))
    assert not book.lots


def test_a_position_that_is_gone_takes_its_triggers_and_closing_orders_along() -> None:
    book = book_with()
    place(book, "buy", "2", take_profit=d(110))
    row = place(book, "sell", "2", "120", reduce_only=True)
    place(book, "sell", "2")
    assert (book.triggers, book.resting) == ([], [])
    assert [(one.order_id, one.status) for one in book.orders][-1] == (row.order_id, Status.CANCELLED)


def test_funding_is_paid_by_long_positions_at_its_time_and_for_every_period_that_passed() -> None:
    book = book_with()
    place(book, "buy", "2")
    due = NOW + 10 * MINUTE
    see_ticker(book, HERE, Ticker(last=d(100)), NOW, FundingRate(d("0.001"), due, 60 * MINUTE))
    see_ticker(book, HERE, Ticker(last=d(110)), due - 1)
    assert "funding" not in {bill.kind for bill in book.bills}
    see_ticker(book, HERE, Ticker(last=d(110)), due + 60 * MINUTE)
    assert [bill.amount for bill in book.bills if bill.kind == "funding"] == [d("-0.22"), d("-0.22")]
    assert book.marks[0].due == due + 120 * MINUTE


def test_spot_pays_in_one_coin_and_receives_the_other_less_the_fee() -> None:
    book = book_with()
    row = place(book, "buy", "", product=Product.SPOT, quote_size=d(250))
    assert (row.status, row.filled, row.size) == (Status.FILLED, d("2.5"), d("2.5"))
    assert cash(book, Product.SPOT) == d(9750)
    assert cash(book, Product.SPOT, "BTC") == d("2.49875")
    with pytest.raises(PaperRefused, match="not enough BTC"):
        place(book, "sell", "2.5", product=Product.SPOT)
    place(book, "sell", "2", "120", product=Product.SPOT)
    assert paper_margin.balances(book, Product.SPOT)[0].available == d("0.49875")


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 40).map(lambda tenth: Decimal(tenth) / 10),
        st.integers(50, 150),
        st.booleans(),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(ACTS, st.booleans())
def test_all_that_was_won_and_paid_is_in_the_wallet(
    acts: list[tuple[str, Decimal, int, bool]], isolated: bool
) -> None:
    """Cash is what came in, plus every result, less every fee; and equity follows from positions alone."""
    book = book_with(money=100_000)
    if isolated:
        book.set_lever(ISOLATED)
    for step, (side, size, price, limited) in enumerate(acts):
        around = offers(str(price), str(price))
        place(book, side, str(size), str(price - 3) if limited else None, at=around)
        see_bar(book, HERE, bar(step, f"{price} {price + 2} {price - 2} {price}"))
    results = total(fill.realised or d(0) for fill in book.fills)
    fees = total(fee.paid for fill in book.fills for fee in fill.fees)
    insured = total(bill.amount for bill in book.bills if bill.kind == "insurance")
    assert cash(book) == d(100_000) + results - fees + insured
    bought = total(fill.size * fill.price * (1 if fill.side == "buy" else -1) for fill in book.fills)
    assert total(lot.cost for lot in book.lots) == bought + results
    moved = total(fill.size * (1 if fill.side == "buy" else -1) for fill in book.fills)
    assert total(lot.size for lot in book.lots) == moved
    running = Decimal(0)
    for bill in book.bills:
        if bill.product is USDT:
            running = total((running, bill.amount, -(bill.fee or d(0))))
            assert bill.balance == running
