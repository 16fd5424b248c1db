"""An order as somebody wants it. Pure. Money is Decimal; symbols are in the venue's spelling."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from backend.trading.rows import Held, Product, Side

MarginMode = Literal["crossed", "isolated"]


class Force(StrEnum):
    """How long a limit order stays in the book."""

    GTC = "gtc"
    """Until it is filled or cancelled."""
    IOC = "ioc"
    """What is not filled at once is cancelled."""
    FOK = "fok"
    """It is filled at once as a whole, or not at all."""
    POST_ONLY = "post_only"
    """It never takes an offer of the book."""


class InvalidTicket(ValueError):
    """No venue could carry the order out. The message is a sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order to place. Without a `price` it is a market order.

    `size` is in base coins (of coin-margined perpetuals at BingX: in contracts). A market order that buys on
    spot says in `quote_size` how many quote coins it spends; then `size` is None. `held` is `long` or `short`
    where the account holds both sides of a symbol, `net` otherwise. `side` is the direction of the trade:
    buying closes a `short` position. The prices of `take_profit` and `stop_loss` trigger market orders that
    close what this order opens.
    """

    product: Product
    symbol: str
    side: Side
    size: Decimal | None = None
    quote_size: Decimal | None = None
    price: Decimal | None = None
    force: Force = Force.GTC
    held: Held = "net"
    reduce_only: bool = False
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    margin_mode: MarginMode = "crossed"

    def __post_init__(self) -> None:
        for refused, sentence in self._contradictions():
            if refused:
                raise InvalidTicket(sentence)

    @property
    def closes(self) -> bool:
        """Whether the order can only make a position smaller. On spot a sale does."""
        if self.product is Product.SPOT:
            return self.side == "sell"
        return self.reduce_only or (self.held, self.side) in (("long", "sell"), ("short", "buy"))

    @property
    def direction(self) -> int:
        """1 for an order that buys, -1 for one that sells."""
        return 1 if self.side == "buy" else -1

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        spot, market = self.product is Product.SPOT, self.price is None
        buys_for_quote = spot and market and self.side == "buy"
        return (
            (
                buys_for_quote and self.quote_size is None,
                "a market order that buys on spot needs quote_size: how many quote coins it spends",
            ),
            (
                not buys_for_quote and self.quote_size is not None,
                "quote_size is for market orders that buy on spot: use size",
            ),
            (buys_for_quote and self.size is not None, "use quote_size or size, not both"),
            (not buys_for_quote and self.size is None, "size is missing"),
            (spot and self.held != "net", "spot has no positions: leave position out"),
            (spot and self.reduce_only, "spot has no positions: leave reduce_only out"),
            (
                spot and (self.take_profit or self.stop_loss) is not None,
                "take_profit and stop_loss are for perpetuals",
            ),
            (
                self.reduce_only and self.held != "net",
                "reduce_only is for accounts with one position a symbol: position and side say the rest",
            ),
            (
                self.closes and (self.take_profit or self.stop_loss) is not None,
                "an order that closes a position takes no take_profit and no stop_loss",
            ),
            (market and self.force is not Force.GTC, "a market order takes no force: leave it out"),
        )
