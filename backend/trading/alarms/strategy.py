"""What a user wants to be done when an alarm comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Literal

from backend.trading.money import exact
from backend.trading.rows import Product
from backend.trading.tickets import MarginMode

QUOTES = ("USDT", "USDC", "USD")
HYPHENED: Mapping[str, str] = {"bingx": "", "extended": "USD"}
"""Venues that write a hyphen before the quote coin, and that coin where a venue has only one."""
FIELDS = (
    "quantity",
    "entry_price",
    "exit_price",
    "position_before",
    "position_after",
    "take_profit",
    "stop_loss",
)
CANDLE = ("open", "high", "low", "close", "volume")
NAMES = frozenset(
    (
        *(f"alarm.{name}" for name in FIELDS),
        *(f"candle.{name}" for name in CANDLE),
        "price",
        "position",
        "equity",
    )
)
"""What a condition can compare: an alarm's numbers, the last stored minute, the market's price, the position
in base coins, and the equity in quote coins."""


class Kind(StrEnum):
    """How a strategy reads an alarm."""

    TARGET = "target"
    """The alarm tells the position that should be there afterwards: the next one makes a missed one good."""
    AS_TOLD = "as_told"
    """The alarm tells an order: buy or sell so much."""


class By(StrEnum):
    """How large a position, or an order, is to be. `amount` of a sizing is:"""

    ALARM = "alarm"
    """a factor of the alarm's own number"""
    SIZE = "size"
    """base coins"""
    QUOTE = "quote"
    """quote coins"""
    EQUITY = "equity"
    """a part of the wallet's equity"""
    RISK = "risk"
    """a part of the equity that is lost at the stop-loss"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    by: By
    amount: Decimal


Operator = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A comparison of two of `NAMES` or numbers, exact."""

    left: str
    op: Operator
    right: str

    def holds(self, values: Mapping[str, Decimal | None]) -> bool | None:
        """Whether it does; None where a value is not known."""
        left, right = _value(self.left, values), _value(self.right, values)
        if left is None or right is None:
            return None
        return {
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
            "==": left == right,
            "!=": left != right,
        }[self.op]

    @property
    def sentence(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """`token` is the digest of what an alarm proves itself with. `symbols` maps tickers to the venue's
    spelling; a ticker that is not there is spelled by rule where `symbols` is empty, and refused elsewhere.

    `take_profit` and `stop_loss` are parts of the price, of entries whose alarm names none. An alarm that is
    older than `max_age` ms opens nothing. `link_wait` is how long (ms) an alarm waits for the one before it.
    """

    id: str
    revision: int
    token: str = field(repr=False)
    account: str
    product: Product
    kind: Kind
    sizing: Sizing
    label: str = ""
    symbols: Mapping[str, str] = field(default_factory=dict)
    leverage: int | None = None
    margin_mode: MarginMode = "crossed"
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    conditions: tuple[Condition, ...] = ()
    max_age: int = 60_000
    link_wait: int = 10_000
    enabled: bool = True
    changed: int = 0


def token_digest(token: str) -> str:
    """What is kept of a token. Tokens are compared by it, so that the time of an answer tells nothing."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def symbol_of(strategy: Strategy, ticker: str, venue: str) -> str | None:
    """The venue's spelling of a ticker such as `BTCUSDT.P`; None where the strategy does not trade it."""
    if strategy.symbols:
        return strategy.symbols.get(ticker) or strategy.symbols.get(_bare(ticker))
    bare = _bare(ticker)
    if venue not in HYPHENED:
        return bare
    quote = next((one for one in QUOTES if bare.endswith(one) and bare != one), None)
    return None if quote is None else f"{bare.removesuffix(quote)}-{HYPHENED[venue] or quote}"


def _bare(ticker: str) -> str:
    """Without the exchange before it, and without the mark of a perpetual."""
    return ticker.rpartition(":")[2].upper().removesuffix(".P")


def is_known(name: str) -> bool:
    """Whether a condition can have this on one of its sides."""
    return name in NAMES or _literal(name) is not None


def _value(name: str, values: Mapping[str, Decimal | None]) -> Decimal | None:
    return values[name] if name in NAMES else _literal(name)


def _literal(text: str) -> Decimal | None:
    try:
        return exact(text)
    except ValueError:
        return None


TEMPLATE: Mapping[str, str] = MappingProxyType(
    {
        "token": "PUT-THE-TOKEN-HERE",
        "ticker": "{{ticker}}",
        "exchange": "{{exchange}}",
        "interval": "{{interval}}",
        "action": "{{strategy.order.action}}",
        "quantity": "{{strategy.order.contracts}}",
        "entry_price": "{{strategy.order.price}}",
        "position": "{{strategy.market_position}}",
        "position_size": "{{strategy.market_position_size}}",
        "prev_position": "{{strategy.prev_market_position}}",
        "prev_position_size": "{{strategy.prev_market_position_size}}",
        "order": "{{strategy.order.id}}",
        "bar_time": "{{time}}",
        "fired_at": "{{timenow}}",
    }
)
"""What stands in the message of an alert on the chart. The user puts the token in."""
