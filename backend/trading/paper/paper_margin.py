"""What a paper account may still spend, and the price at which it loses its positions."""

from __future__ import annotations

from decimal import Decimal

from backend.trading.money import part_of, times, total
from backend.trading.paper.paper_book import ZERO, Lot, PaperBook, Resting
from backend.trading.rows import Balance, Position, Product


def balances(book: PaperBook, product: Product) -> tuple[Balance, ...]:
    """A wallet, coin by coin."""
    return tuple(
        Balance(
            coin=coin,
            available=max(available(book, product, coin), ZERO),
            frozen=held_back(book, product, coin),
            equity=equity(book, product, coin),
        )
        for coin in sorted(book.cash.get(product.value, {}))
    )


def positions(book: PaperBook, product: Product) -> tuple[Position, ...]:
    """Open positions, as venues tell them."""
    return tuple(
        Position(
            product=lot.product,
            symbol=lot.symbol,
            held=lot.held,
            size=lot.size if lot.held == "net" else abs(lot.size),
            entry_price=part_of(lot.cost, Decimal(1), lot.size),
            mark_price=price,
            leverage=book.leverage(lot.market, long=lot.size > 0),
            margin_mode="isolated" if lot.isolated else "crossed",
            margin_coin=lot.coin,
            unrealised=None if price is None else lot.result(price),
            liquidation_price=liquidation_price(book, lot),
            updated=lot.updated,
        )
        for lot, price in ((one, book.price(one.market)) for one in book.lots)
        if lot.product is product
    )


def equity(book: PaperBook, product: Product, coin: str) -> Decimal:
    """The coins of a wallet with what open positions would win."""
    return total((book.has(product, coin), *(_result(book, lot) for lot in _lots(book, product, coin))))


def available(book: PaperBook, product: Product, coin: str) -> Decimal:
    """What new orders may use. Isolated positions keep their margin, and their results to themselves."""
    crossed = (_result(book, lot) for lot in _lots(book, product, coin) if not lot.isolated)
    return total((book.has(product, coin), *crossed, -held_back(book, product, coin)))


def held_back(book: PaperBook, product: Product, coin: str) -> Decimal:
    """What positions and open orders keep of a coin."""
    orders = (_reserved(book, one, coin) for one in book.resting if one.ticket.product is product)
    margins = (_margin(book, lot) for lot in _lots(book, product, coin))
    return total((*orders, *margins))


def needed(book: PaperBook, order: Resting, size: Decimal, price: Decimal) -> Decimal:
    """The margin of as much of an order as would make a position larger."""
    ticket = order.ticket
    if ticket.closes:
        return ZERO
    lot = book.lot(order.market, ticket.held)
    opposite = abs(lot.size) if lot is not None and (lot.size > 0) != (ticket.side == "buy") else ZERO
    opens = max(size - opposite, ZERO)
    leverage = book.leverage(order.market, long=ticket.side == "buy")
    return part_of(times(opens, price), Decimal(1), leverage)


def liquidation_price(book: PaperBook, lot: Lot) -> Decimal | None:
    """The price of its market at which a position is taken away, other prices staying; None if there is
    none."""
    slope, limit = _line(book, lot)
    return limit if slope and limit > 0 else None


def is_lost(book: PaperBook, lot: Lot, price: Decimal) -> bool:
    """Whether a position is taken away at a price of its market."""
    slope, limit = _line(book, lot)
    return bool(slope) and (price <= limit if slope > 0 else price >= limit)


def _line(book: PaperBook, lot: Lot) -> tuple[Decimal, Decimal]:
    """Where what an account must keep meets what it has: both are straight lines over the market's price.

    It has the position's margin, or all of the wallet where the position is crossed, and what the positions
    in question win. It must keep the part `maintenance` of their value. The first number says whether it wins
    when the price rises.
    """
    rate = book.terms.maintenance
    lots = _lots(book, lot.product, lot.coin)
    if lot.isolated:
        mine, money, others = [lot], lot.margin, ZERO
    else:
        crossed = [one for one in lots if not one.isolated]
        mine = [one for one in crossed if one.market == lot.market]
        rest = [one for one in crossed if one.market != lot.market]
        isolated = total(one.margin for one in lots if one.isolated)
        results = (_result(book, one) for one in rest)
        money = total((book.has(lot.product, lot.coin), -isolated, *results))
        others = times(rate, total(one.worth(book.price(one.market) or ZERO) for one in rest))
    slope = total((*(one.size for one in mine), *(-times(rate, abs(one.size)) for one in mine)))
    if not slope:
        return ZERO, ZERO
    return slope, part_of(total((others, -money, *(one.cost for one in mine))), Decimal(1), slope)


def _lots(book: PaperBook, product: Product, coin: str) -> list[Lot]:
    return [lot for lot in book.lots if (lot.product, lot.coin) == (product, coin)]


def _result(book: PaperBook, lot: Lot) -> Decimal:
    price = book.price(lot.market)
    return ZERO if price is None else lot.result(price)


def _margin(book: PaperBook, lot: Lot) -> Decimal:
    if lot.isolated:
        return lot.margin
    price = book.price(lot.market)
    worth = abs(lot.cost) if price is None else lot.worth(price)
    return part_of(worth, Decimal(1), book.leverage(lot.market, long=lot.size > 0))


def _reserved(book: PaperBook, order: Resting, coin: str) -> Decimal:
    ticket = order.ticket
    if ticket.product is Product.SPOT:
        if ticket.side == "sell":
            return order.left if order.base == coin else ZERO
        return times(order.left, ticket.price or ZERO) if order.quote == coin else ZERO
    return needed(book, order, order.left, ticket.price or ZERO) if order.quote == coin else ZERO
