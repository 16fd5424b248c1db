"""The rows of accounts, in one shape for all venues. Money is Decimal, times are ms UTC.

A fee is what was paid, so a rebate is negative. None stands where a venue does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Literal, TypeVar

Row = TypeVar("Row", covariant=True)

Side = Literal["buy", "sell"]
"""The direction of the trade, whatever a venue's own word names."""

Held = Literal["long", "short", "net"]
"""The position that is meant: `net` where an account holds one position a symbol."""


class Product(StrEnum):
    """What is traded: each venue has some of these."""

    SPOT = "spot"
    PERPETUAL_USDT = "perpetual-usdt"
    PERPETUAL_USDC = "perpetual-usdc"
    PERPETUAL_COIN = "perpetual-coin"
    PERPETUAL_USD = "perpetual-usd"
    """Against US dollars that are held in a stablecoin, as at Extended."""


class Right(StrEnum):
    """What a key may do."""

    READ = "read"
    TRADE = "trade"
    TRANSFER = "transfer"
    WITHDRAW = "withdraw"
    OTHER = "other"
    """Something that we do not know: it may be anything."""


class Status(StrEnum):
    """The state of an order."""

    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of a history as they came: they may lie outside of the window, and come again on the next page.

    `cursor` asks for the next page; None where there is none. A page that brings nothing new is the last one
    too: a venue may give its last page for ever. `full` says that the page holds as many rows as a page can,
    and no cursor leads on: a question about half the time tells the rest.
    """

    rows: tuple[Row, ...]
    cursor: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """The rights of a key, and the addresses that may use it: none means any address. A venue that has no
    such list is not `bindable`."""

    rights: frozenset[Right]
    addresses: tuple[str, ...] = ()
    bindable: bool = True
    registered: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a venue says of the keys that ask: the kind of their account, whose it is, and their rights."""

    flavour: str
    uid: str
    key: KeyFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`equity` includes the value of open positions. Orders and positions hold the `frozen` part."""

    coin: str
    available: Decimal
    frozen: Decimal | None = None
    equity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    product: Product
    symbol: str
    held: Held
    size: Decimal
    """Without a sign where `held` says the direction; below zero is short where it is `net`."""
    entry_price: Decimal
    mark_price: Decimal | None = None
    leverage: Decimal | None = None
    margin_mode: str = ""
    margin_coin: str = ""
    unrealised: Decimal | None = None
    liquidation_price: Decimal | None = None
    updated: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a symbol of an account is set. None, or "", where the venue does not say it. `hedged`: long and
    short positions stand side by side."""

    product: Product
    symbol: str
    long: Decimal | None = None
    short: Decimal | None = None
    margin_mode: str = ""
    hedged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class Fee:
    coin: str
    paid: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`source` is the venue's word for what made it: a person, a liquidation, a triggered order."""

    product: Product
    symbol: str
    order_id: str
    client_id: str
    side: Side
    held: Held | None
    kind: str
    status: Status
    price: Decimal | None
    size: Decimal | None
    filled: Decimal
    average_price: Decimal | None
    fees: tuple[Fee, ...]
    reduce_only: bool | None
    source: str
    created: int
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """`fill_id` is empty where the venue gives none."""

    product: Product
    symbol: str
    fill_id: str
    order_id: str
    side: Side | None
    price: Decimal
    size: Decimal
    value: Decimal | None
    fees: tuple[Fee, ...]
    role: Literal["maker", "taker"] | None
    realised: Decimal | None
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A change of a balance: `kind` is the venue's word for its cause, `amount` below zero is taken away."""

    product: Product
    bill_id: str
    symbol: str
    coin: str
    kind: str
    amount: Decimal
    fee: Decimal | None
    balance: Decimal | None
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a history: rows of `[start, end)` in ms, from a page's `cursor` on. `part` counts from
    0 where a venue tells one history in several lists."""

    product: Product
    start: int
    end: int
    cursor: str = ""
    symbol: str = ""
    order_id: str = ""
    part: int = 0
