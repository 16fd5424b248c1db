"""What a venue demands of the orders of a market, and a ticket that fulfils it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from backend.trading.money import is_multiple, plain, round_down
from backend.trading.tickets import InvalidTicket, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The steps and minima of a market; zero means none. `least_value` is in quote coins.

    `contract_value` is the value of one contract in quote coins where sizes count contracts, None elsewhere.
    """

    price_step: Decimal
    size_step: Decimal
    least_size: Decimal = Decimal(0)
    least_value: Decimal = Decimal(0)
    contract_value: Decimal | None = None

    def value(self, ticket: Ticket, price: Decimal | None) -> Decimal | None:
        """The most that a ticket may be worth, in quote coins: a sale below the market's `price` is filled at
        that price, and an order that buys never above its own. None where nothing says it."""
        if ticket.quote_size is not None:
            return ticket.quote_size
        assert ticket.size is not None
        if self.contract_value is not None:
            return ticket.size * self.contract_value
        if ticket.price is not None and ticket.side == "buy":
            return ticket.size * ticket.price
        prices = [one for one in (ticket.price, price) if one is not None]
        return ticket.size * max(prices) if prices else None


def fitted(ticket: Ticket, rules: Rules) -> Ticket:
    """The ticket with sizes and prices that the market takes. Sizes become smaller, never larger; a price
    becomes lower for an order that buys, and higher for one that sells. Raises InvalidTicket."""
    size = None if ticket.size is None else round_down(ticket.size, step=rules.size_step)
    made = replace(
        ticket,
        size=size,
        price=_price(ticket.price, rules, up=ticket.side == "sell"),
        take_profit=_price(ticket.take_profit, rules, up=ticket.side == "sell"),
        stop_loss=_price(ticket.stop_loss, rules, up=ticket.side == "sell"),
    )
    _check(made, rules)
    return made


def _check(ticket: Ticket, rules: Rules) -> None:
    least = max(rules.least_size, rules.size_step)
    if ticket.size is not None and ticket.size < least:
        raise InvalidTicket(f"the smallest size of {ticket.symbol} is {plain(least)}")
    if ticket.price is not None and ticket.price <= 0:
        raise InvalidTicket(f"the price is below the smallest step {plain(rules.price_step)}")
    value = rules.value(ticket, None)
    if not ticket.closes and value is not None and value < rules.least_value:
        raise InvalidTicket(
            f"an order of {ticket.symbol} is worth {plain(rules.least_value)} at least, not {plain(value)}"
        )


def _price(price: Decimal | None, rules: Rules, *, up: bool) -> Decimal | None:
    if price is None or is_multiple(price, step=rules.price_step):
        return price
    lower = round_down(price, step=rules.price_step)
    return lower + rules.price_step if up else lower
