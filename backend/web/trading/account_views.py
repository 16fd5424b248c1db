"""The JSON of answers about accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypedDict

from backend.clock import iso
from backend.services.accounts.readings import Reading
from backend.trading.account import Account, Mode
from backend.trading.intents import is_intent_id
from backend.trading.money import plain
from backend.trading.risk import Limits
from backend.trading.rows import Balance, Fee, Order, Position, Product, Setup
from backend.web.trading import account_shapes as shapes


def _limits(found: Limits) -> shapes.AccountLimits:
    return shapes.AccountLimits(
        max_order_value=money(found.max_order_value),
        max_position_value=money(found.max_position_value),
        entries_per_minute=found.entries_per_minute,
        max_daily_loss=money(found.max_daily_loss),
        max_leverage=found.max_leverage,
        price_band=money(found.price_band),
        symbols=list(found.symbols),
    )


class Read(TypedDict):
    account: str
    venue: str
    mode: Mode
    read_at: str
    age_ms: int


def account(found: Account) -> shapes.Account:
    return shapes.Account(
        id=found.id,
        venue=found.venue,
        mode=found.mode,
        label=found.label,
        flavour=found.flavour,
        uid=found.uid,
        rights=sorted(found.key.rights),
        addresses=list(found.key.addresses),
        registered=moment(found.key.registered),
        created=iso(found.created),
        checked=iso(found.checked),
        frozen=found.frozen,
        limits=_limits(found.limits),
        warnings=list(found.warnings),
    )


def read(reading: Reading[Any]) -> Read:
    """The fields of every answer that an exchange was asked for."""
    return Read(
        account=reading.account.id,
        venue=reading.account.venue,
        mode=reading.account.mode,
        read_at=iso(reading.read),
        age_ms=reading.age,
    )


def wallets(found: Mapping[Product, Iterable[Balance]]) -> list[shapes.Wallet]:
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
        for product, rows in found.items()
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


def setup(found: Setup) -> shapes.SymbolSetup:
    return shapes.SymbolSetup(
        product=found.product,
        symbol=found.symbol,
        long=money(found.long),
        short=money(found.short),
        margin_mode=found.margin_mode,
        hedged=found.hedged,
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
