"""The limits of an account, and whether an order keeps them. Pure.

An order that can only make a position smaller is never refused here: nothing may keep a user from getting
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from backend.trading.money import plain
from backend.trading.rows import Product
from backend.trading.tickets import Ticket

MOST_ENTRIES = 600
"""Largest `entries_per_minute`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None means no limit. Values are in quote coins. `price_band` is a part: 0.05 allows prices from 5 %
    below to 5 % above the market's. `max_leverage` is the highest that this service sets. `max_daily_loss`
    counts from 00:00 UTC in a perpetual's coin, open positions included. `symbols` are the only ones with
    entries, in the venue's spelling; empty means all."""

    max_order_value: Decimal | None = None
    max_position_value: Decimal | None = None
    entries_per_minute: int | None = None
    price_band: Decimal | None = None
    max_leverage: int | None = None
    max_daily_loss: Decimal | None = None
    symbols: tuple[str, ...] = ()

    @property
    def needs_position(self) -> bool:
        return self.max_position_value is not None

    def need_price(self, ticket: Ticket) -> bool:
        """Whether the market's price has to be known. The value of an order that buys is bounded by its own
        price."""
        if self.price_band is not None:
            return True
        is_bounded = ticket.price is not None and ticket.side == "buy"
        return not is_bounded and (self.max_order_value or self.max_position_value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an order meets. `price` is the market's. `position` is what is held in the order's direction, in
    quote coins: below zero where the order makes it smaller. `exposed` is what orders in the same direction
    may add that `position` does not show yet. `entries` are those of the last minute. `loss` is that of the
    day."""

    price: Decimal | None = None
    position: Decimal = Decimal(0)
    exposed: Decimal = Decimal(0)
    entries: int = 0
    loss: Decimal | None = None
    halted: bool = False


def verdict(ticket: Ticket, value: Decimal | None, limits: Limits, situation: Situation) -> str | None:
    """The sentence that refuses an order; None where it may be sent."""
    if ticket.closes:
        return None
    if situation.halted:
        return "the kill switch is on: this account takes no entries"
    if limits.symbols and ticket.symbol not in limits.symbols:
        return f"the account's limits do not allow {ticket.symbol}"
    if limits.entries_per_minute is not None and situation.entries >= limits.entries_per_minute:
        return f"the account's limit is {limits.entries_per_minute} entries a minute"
    if limits.max_daily_loss is not None and ticket.product is not Product.SPOT:
        if situation.loss is None:
            return "the limit max_daily_loss cannot be kept here: nothing tells what was lost today"
        if situation.loss >= limits.max_daily_loss:
            return (
                f"the account lost {plain(situation.loss)} today; the limit is {plain(limits.max_daily_loss)}"
            )
    return _price_verdict(ticket, limits, situation) or _value_verdict(value, limits, situation)


def _price_verdict(ticket: Ticket, limits: Limits, situation: Situation) -> str | None:
    if limits.price_band is None:
        return None
    if situation.price is None:
        return "the limit price_band needs the market's price, and nothing tells it"
    if ticket.price is None:
        return None
    lowest, highest = (situation.price * (1 + sign * limits.price_band) for sign in (-1, 1))
    if not lowest <= ticket.price <= highest:
        return f"the account's limits allow prices from {plain(lowest)} to {plain(highest)} now"
    return None


def _value_verdict(value: Decimal | None, limits: Limits, situation: Situation) -> str | None:
    if limits.max_order_value is None and limits.max_position_value is None:
        return None
    if value is None:
        return "the limits of values need the market's price, and nothing tells it"
    if limits.max_order_value is not None and value > limits.max_order_value:
        return f"the order may be worth {plain(value)}; the limit is {plain(limits.max_order_value)}"
    reached = situation.position + situation.exposed + value
    if limits.max_position_value is not None and reached > limits.max_position_value:
        return f"the position may reach {plain(reached)}; the limit is {plain(limits.max_position_value)}"
    return None
