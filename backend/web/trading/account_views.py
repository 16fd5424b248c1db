"""The JSON of answers about accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypedDict

from backend.clock import iso
from backend.services.accounts.readings import AccountReading
from backend.trading.account import Account, Mode
from backend.trading.intents import is_intent_id
from backend.trading.money import plain
from backend.trading.risk import Limits
from backend.trading.rows import Balance, Fee, Order, Position, Product, Setup
from backend.web.trading import account_shapes as shapes


def _limits(limits: Limits) -> shapes.AccountLimits:
    return shapes.AccountLimits(
        max_order_value=money(limits.max_order_value),
        max_position_value=money(limits.max_position_value),
        entries_per_minute=limits.entries_per_minute,
        max_daily_loss=money(limits.max_daily_loss),
        max_leverage=limits.max_leverage,
        price_band=money(limits.price_band),
        symbols=list(limits.symbols),
    )


class Read(TypedDict):
    account: str
    venue: str
    mode: Mode
    read_at: str
    age_ms: int


def account(account: Account) -> shapes.Account:
    return shapes.Account(
        id=account.id,
        venue=account.venue,
        mode=account.mode,
        label=account.label,
        flavour=account.flavour,
        uid=account.uid,
        rights=sorted(account.key.rights),
        addresses=list(account.key.addresses),
        registered=moment(account.key.registered),
        created=iso(account.created),
        checked=iso(account.checked),
        frozen=account.frozen,
        limits=_limits(account.limits),
        warnings=list(account.warnings),
    )


def read(reading: AccountReading[Any]) -> Read:
    """The fields of every answer that an exchange was asked for."""
    return Read(
        account=reading.account.id,
        venue=reading.account.venue,
        mode=reading.account.mode,
        read_at=iso(reading.read),
        age_ms=reading.age,
    )


def wallets(wallets: Mapping[Product, Iterable[Balance]]) -> list[shapes.Wallet]:
    return [
        shapes.Wallet(
            product=product,
            balances=[
                shapes.WalletBalance(
                    coin=row.coin,
                    available=plain(row.available),
                    frozen=money(row.frozen),
                    equity=money(row.equity),
                )
                for row in rows
            ],
        )
        for product, rows in wallets.items()
    ]


def position(row: Position) -> shapes.OpenPosition:
    return shapes.OpenPosition(
        product=row.product,
        symbol=row.symbol,
        held=row.held,
        size=plain(row.size),
        entry_price=plain(row.entry_price),
        mark_price=money(row.mark_price),
        leverage=money(row.leverage),
        margin_mode=row.margin_mode,
        margin_coin=row.margin_coin,
        unrealised=money(row.unrealised),
        liquidation_price=money(row.liquidation_price),
        updated=moment(row.updated),
    )


def leverage(row: Position) -> shapes.LeverageRow:
    return shapes.LeverageRow(
        product=row.product,
        symbol=row.symbol,
        held=row.held,
        leverage=money(row.leverage),
        margin_mode=row.margin_mode,
    )


def setup(setup: Setup) -> shapes.SymbolSetup:
    return shapes.SymbolSetup(
        product=setup.product,
        symbol=setup.symbol,
        long=money(setup.long),
        short=money(setup.short),
        margin_mode=setup.margin_mode,
        hedged=setup.hedged,
    )


def order(row: Order) -> shapes.OrderRow:
    return shapes.OrderRow(
        product=row.product,
        symbol=row.symbol,
        order_id=row.order_id,
        client_id=row.client_id,
        side=row.side,
        held=row.held,
        kind=row.kind,
        status=row.status,
        price=money(row.price),
        size=money(row.size),
        filled=plain(row.filled),
        average_price=money(row.average_price),
        fees=fees(row.fees),
        reduce_only=row.reduce_only,
        source=row.source,
        origin="ours" if is_intent_id(row.client_id) else "external",
        created=iso(row.created),
        updated=iso(row.updated),
    )


def fees(rows: Iterable[Fee]) -> list[shapes.PaidFee]:
    return [shapes.PaidFee(coin=row.coin, paid=plain(row.paid)) for row in rows]


def money(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def moment(time: int | None) -> str | None:
    return None if time is None else iso(time)
