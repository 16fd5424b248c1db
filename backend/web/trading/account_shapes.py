"""The shapes of answers about accounts. Money is text, so that no program rounds it. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from backend.trading.account import Mode
from backend.trading.rows import Held, Product, Right, Side, Status
from backend.web.api.common_shapes import Answer, Moment, Shape

Money = Annotated[str, Meta(description="A decimal number, exact")]
MaybeMoney = Annotated[
    str | None, Meta(description="A decimal number, exact; null: the exchange does not say")
]


class AccountLimits(Shape):
    """What entries of an account must keep; null: no limit. Orders that only close are always allowed."""

    max_order_value: Annotated[str | None, Meta(description="Largest value of one order, in quote coins")]
    max_position_value: Annotated[str | None, Meta(description="Largest value of a position with its orders")]
    entries_per_minute: int | None
    max_daily_loss: Annotated[
        str | None, Meta(description="Since 00:00 UTC, in a perpetual's coin, open positions included")
    ]
    max_leverage: Annotated[int | None, Meta(description="The highest leverage that this service sets")]
    price_band: Annotated[str | None, Meta(description='Part of the price: "0.05" is 5 % up and down')]
    symbols: Annotated[list[str], Meta(description="The only symbols with entries; none: all")]


class Account(Shape):
    """An account, without anything of its keys."""

    id: str
    venue: str
    mode: Mode
    label: str
    flavour: Annotated[str, Meta(description="The exchange's kind of account")]
    uid: Annotated[str, Meta(description="The account's name at the exchange")]
    rights: Annotated[list[Right], Meta(description="What the exchange says the key may do")]
    addresses: Annotated[list[str], Meta(description="Addresses from which the key may be used; none: any")]
    registered: Annotated[Moment | None, Meta(description="When the account was opened at the exchange")]
    created: Moment
    checked: Annotated[Moment, Meta(description="When the exchange was asked for the rights")]
    frozen: Annotated[bool, Meta(description="Whether the service asks nothing with its keys")]
    limits: AccountLimits
    warnings: Annotated[list[str], Meta(description="What its owner should know")]


class AccountAnswer(Answer, kw_only=True):
    account: Account


class AccountsAnswer(Answer, kw_only=True):
    count: int
    accounts: list[Account]


class Read(Answer, kw_only=True):
    """What an exchange said, and when."""

    account: Annotated[str, Meta(description="The account's id")]
    venue: str
    mode: Mode
    read_at: Annotated[Moment, Meta(description="When the exchange was asked")]
    age_ms: Annotated[int, Meta(ge=0, description="How long ago that was")]


class WalletBalance(Shape):
    """One coin of a wallet."""

    coin: str
    available: Money
    frozen: MaybeMoney
    equity: MaybeMoney


class Wallet(Shape):
    product: Product
    balances: list[WalletBalance]


class BalanceAnswer(Read, kw_only=True):
    wallets: list[Wallet]


class OpenPosition(Shape):
    """A position; below zero is short where `held` is `net`."""

    product: Product
    symbol: str
    held: Held
    size: Money
    entry_price: Money
    mark_price: MaybeMoney
    leverage: MaybeMoney
    margin_mode: str
    margin_coin: str
    unrealised: MaybeMoney
    liquidation_price: MaybeMoney
    updated: Moment | None


class PositionsAnswer(Read, kw_only=True):
    positions: list[OpenPosition]


class LeverageRow(Shape):
    """What a position was opened with."""

    product: Product
    symbol: str
    held: Held
    leverage: MaybeMoney
    margin_mode: str


class SymbolSetup(Shape):
    """How a symbol of an account is set; null, or empty: the exchange does not say."""

    product: Product
    symbol: str
    long: MaybeMoney
    short: MaybeMoney
    margin_mode: str
    hedged: Annotated[bool | None, Meta(description="Long and short positions stand side by side")]


class SetupAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    setup: SymbolSetup


class LeverageAnswer(Read, kw_only=True):
    leverage: list[LeverageRow]


class FeesAnswer(Read, kw_only=True):
    product: Product
    symbol: str
    maker: Money
    taker: Money


class PaidFee(Shape):
    """A fee that was paid; below zero it was received."""

    coin: str
    paid: Money


class OrderRow(Shape):
    product: Product
    symbol: str
    order_id: str
    client_id: str
    side: Side
    held: Held | None
    kind: str
    status: Status
    price: MaybeMoney
    size: MaybeMoney
    filled: Money
    average_price: MaybeMoney
    fees: list[PaidFee]
    reduce_only: bool | None
    source: Annotated[str, Meta(description="The exchange's word for what made the order")]
    origin: Annotated[
        Literal["ours", "external"], Meta(description="`ours`: this service placed it, by the form of its id")
    ]
    created: Moment
    updated: Moment


class OpenOrdersAnswer(Read, kw_only=True):
    count: int
    orders: list[OrderRow]
