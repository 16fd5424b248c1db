"""What time brings to a paper account: prices, candles, funding, triggers, and the loss of positions.

A candle does not tell in which order its prices came. So the worst order is taken: positions are lost first,
then stop-losses fire, then orders are filled, whose stop-losses may fire at once but not their take-profits.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from backend.core.quotes import FundingRate, Ticker
from backend.core.windows import MINUTE
from backend.trading.money import times, total
from backend.trading.paper.paper_book import Cause, Lot, Mark, PaperBook, Resting, Trigger
from backend.trading.paper.paper_fills import fill, finish
from backend.trading.paper.paper_margin import is_lost, liquidation_price
from backend.trading.paper.paper_matching import Liquidity, meet, tidy
from backend.trading.rows import Product, Status
from backend.trading.tickets import Ticket

Where = tuple[Product, str]


class Bar(NamedTuple):
    """A closed minute of trading; `time` is its end, ms."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def see_ticker(
    book: PaperBook, where: Where, ticker: Ticker, time: int, funding: FundingRate | None = None
) -> None:
    """The market's prices now."""
    _mark(book, where, ticker.last, time, funding)
    _liquidate(book, where, ticker.last, ticker.last, time)
    bid = ticker.last if ticker.bid is None else ticker.bid
    ask = ticker.last if ticker.ask is None else ticker.ask
    for cause in ("stop_loss", "take_profit"):
        for trigger in _fired(book, where, cause, ticker.last, ticker.last):
            _fire(book, trigger, bid if trigger.side == "sell" else ask, time)
    meet(book, where, Liquidity(ask, bid, ticker.ask_size, ticker.bid_size), time)


def see_bar(book: PaperBook, where: Where, bar: Bar, funding: FundingRate | None = None) -> None:
    """A minute that has passed. It meets the orders that were there when it began."""
    _mark(book, where, bar.close, bar.time, funding)
    _liquidate(book, where, bar.low, bar.high, bar.time)
    _fire_in(book, where, "stop_loss", bar)
    before = {one.parent for one in book.triggers}
    trades = Liquidity(bar.low, bar.high, bar.volume, bar.volume)
    meet(book, where, trades, bar.time, since=bar.time - MINUTE)
    _fire_in(book, where, "stop_loss", bar)
    _fire_in(book, where, "take_profit", bar, before)


def _mark(book: PaperBook, where: Where, price: Decimal, time: int, funding: FundingRate | None) -> None:
    """The last price; funding that has come due is paid at it."""
    known = book.mark(where)
    mark = Mark(product=where[0], symbol=where[1], price=price, time=time) if known is None else known
    while mark.funding is not None and mark.due is not None and mark.due <= time:
        pay_funding(book, where, mark.funding, price, mark.due)
        mark = replace(mark, due=mark.due + mark.every if mark.every > 0 else None)
    if funding is not None and (mark.due is None or funding.due >= mark.due):
        mark = replace(mark, funding=funding.rate, due=funding.due, every=funding.every)
    others = [one for one in book.marks if (one.product, one.symbol) != where]
    book.marks = [*others, replace(mark, price=price, time=max(time, mark.time))]


def pay_funding(book: PaperBook, where: Where, rate: Decimal, price: Decimal, time: int) -> None:
    """Positions that were there before `time` (ms) pay or receive a part of their value at a price."""
    for lot in book.lots:
        if lot.market == where and lot.updated < time:
            paid = times(lot.size, price, rate)
            book.pay(lot.product, lot.coin, "funding", -paid, time, symbol=lot.symbol)


def _liquidate(book: PaperBook, where: Where, low: Decimal, high: Decimal, time: int) -> None:
    """Take away the positions that the account can no longer keep: an isolated one alone, of crossed ones all
    of the wallet. Nobody loses more than stood for them."""
    for lot in [one for one in book.lots if one.market == where]:
        if _is_gone(book, lot) or not any(is_lost(book, lot, price) for price in (low, high)):
            continue
        limit = liquidation_price(book, lot)
        here = low if limit is None else min(max(limit, low), high)
        wallet = [one for one in book.lots if (one.product, one.coin) == (lot.product, lot.coin)]
        lost = [lot] if lot.isolated else [one for one in wallet if not one.isolated]
        markets = {one.market for one in lost}
        for order in [one for one in book.resting if one.market in markets]:
            finish(book, order, Status.CANCELLED, time)
        has = book.has(lot.product, lot.coin)
        kept = has - lot.margin if lot.isolated else total(one.margin for one in wallet if one.isolated)
        for one in lost:
            price = here if one.market == where else book.price(one.market)
            _close(book, one, abs(one.size), here if price is None else price, time, "liquidation")
        owed = kept - book.has(lot.product, lot.coin)
        if owed > 0:
            book.pay(lot.product, lot.coin, "insurance", owed, time, symbol=lot.symbol)
        tidy(book, time)


def _is_gone(book: PaperBook, lot: Lot) -> bool:
    return book.lot(lot.market, lot.held) is not lot


def _fire_in(
    book: PaperBook, where: Where, cause: str, bar: Bar, parents: Container[str] | None = None
) -> None:
    for trigger in _fired(book, where, cause, bar.low, bar.high):
        if parents is None or trigger.parent in parents:
            is_past = bar.open >= trigger.price if trigger.above else bar.open <= trigger.price
            _fire(book, trigger, bar.open if is_past else trigger.price, bar.time)


def _fired(book: PaperBook, where: Where, cause: str, low: Decimal, high: Decimal) -> list[Trigger]:
    return [
        one
        for one in book.triggers
        if (one.market, one.cause) == (where, cause)
        and (high >= one.price if one.above else low <= one.price)
    ]


def _fire(book: PaperBook, trigger: Trigger, price: Decimal, time: int) -> None:
    """Close what the trigger guards; the other trigger of its order ends with it."""
    if trigger not in book.triggers:
        return
    book.triggers = [one for one in book.triggers if one.parent != trigger.parent]
    lot = book.lot(trigger.market, trigger.held)
    if lot is not None and (lot.size > 0) == (trigger.side == "sell"):
        _close(book, lot, min(trigger.size, abs(lot.size)), price, time, trigger.cause)
        tidy(book, time)


def _close(book: PaperBook, lot: Lot, size: Decimal, price: Decimal, time: int, cause: Cause) -> None:
    """A market order of the venue closes a part of a position."""
    ticket = Ticket(
        product=lot.product,
        symbol=lot.symbol,
        side="sell" if lot.size > 0 else "buy",
        size=size,
        held=lot.held,
        reduce_only=lot.held == "net",
    )
    order = Resting(
        ticket=ticket,
        base="",
        quote=lot.coin,
        order_id=book.next_number(),
        client_id="",
        created=time,
        updated=time,
        cause=cause,
    )
    book.put_resting(order)
    finish(book, fill(book, order, size, price, "taker", time), Status.FILLED, time)
