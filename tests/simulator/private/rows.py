"""What an account did, in no venue's words. Money is an exact Decimal, times are ms UTC.

Ids are as the venues make them: 19 digits, larger for what is newer, of time, kind and a number within the
ms. A fee is what was paid. A coin-margined contract is worth one coin here, so that its sizes read alike
everywhere.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple

EPOCH = 1_436_918_400_000
"""The ms from which ids count."""

Side = Literal["buy", "sell"]
Held = Literal["", "long", "short", "net"]
"""The position that is meant; empty for spot."""
Cause = Literal["normal", "plan", "liquidation", "adl"]
Status = Literal["open", "partially_filled", "filled", "cancelled"]
Fees = tuple[tuple[str, Decimal], ...]

FINISHED = ("filled", "cancelled")


class Product(StrEnum):
    """What is traded."""

    SPOT = "spot"
    USDT = "perpetual-usdt"
    USDC = "perpetual-usdc"
    COIN = "perpetual-coin"


FUTURES = (Product.USDT, Product.USDC, Product.COIN)


class Pair(NamedTuple):
    """A market: `quote` is USD where a perpetual is settled in its own coin."""

    base: str
    quote: str

    @property
    def settled(self) -> str:
        """The coin of profits and fees of its perpetual."""
        return self.base if self.quote == "USD" else self.quote


class Order(NamedTuple):
    """`side` is the direction of the trade. `value` is the sum of its fills in quote coins, `fees` in all
    coins. `plan` is the number of the plan that made it, 0 for none."""

    number: int
    product: Product
    pair: Pair
    client_id: str
    side: Side
    held: Held
    opens: bool
    kind: Literal["limit", "market"]
    price: Decimal | None
    size: Decimal
    cause: Cause
    leverage: int
    created: int
    updated: int
    status: Status = "open"
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    average: Decimal | None = None
    fees: Fees = ()
    realised: Decimal = Decimal(0)
    plan: int = 0

    @property
    def time(self) -> int:
        return self.created


class Fill(NamedTuple):
    """A part of an order that was traded. `realised` is without the fee."""

    number: int
    product: Product
    pair: Pair
    order: int
    client_id: str
    side: Side
    held: Held
    opens: bool
    cause: Cause
    price: Decimal
    size: Decimal
    value: Decimal
    fee_coin: str
    fee: Decimal
    role: Literal["maker", "taker"]
    realised: Decimal
    time: int


class Bill(NamedTuple):
    """A change of a coin's balance: balance = the one before + amount - fee.

    `kind` is one of trade, funding, transfer_in, transfer_out, and deduction: a fee in another coin, whose
    amount is zero.
    """

    number: int
    product: Product
    pair: Pair | None
    coin: str
    kind: str
    side: str
    held: Held
    opens: bool
    cause: Cause
    amount: Decimal
    fee: Decimal
    balance: Decimal
    order: int
    time: int


class Plan(NamedTuple):
    """An order that waited for a price; `order` is what it made, 0 for one that was cancelled."""

    number: int
    product: Product
    pair: Pair
    side: Side
    held: Held
    opens: bool
    size: Decimal
    trigger: Decimal
    status: Literal["executed", "cancelled"]
    order: int
    created: int
    updated: int

    @property
    def time(self) -> int:
        return self.created


class Position(NamedTuple):
    """An open position. `size` has no sign but where `held` is net: below zero is short."""

    product: Product
    pair: Pair
    held: Held
    size: Decimal
    entry: Decimal
    mark: Decimal
    unrealised: Decimal
    leverage: int
    margin: Decimal
    created: int
    updated: int


class Balance(NamedTuple):
    """A coin of a wallet: `equity` counts open positions, `frozen` is held by orders and positions."""

    coin: str
    balance: Decimal
    available: Decimal
    frozen: Decimal
    equity: Decimal
    unrealised: Decimal


class Rates(NamedTuple):
    """Fees of trading as parts of the value."""

    maker: Decimal
    taker: Decimal


KINDS = {Order: 0, Fill: 1, Bill: 2, Plan: 3}


def first_number(time: int) -> int:
    """The lowest id of a moment (ms)."""
    return (time - EPOCH) << 22


class Numbers:
    """Makes the ids of one kind, in the order of time."""

    def __init__(self, kind: type) -> None:
        self._kind = KINDS[kind] << 20
        self._last = 0

    def next(self, time: int) -> int:
        """The next id; it is even, so that the odd one after it is free."""
        self._last = max(first_number(time) | self._kind, self._last + 2)
        return self._last
