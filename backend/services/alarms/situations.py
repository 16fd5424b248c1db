"""What an alarm meets: the price, what the account holds, and the last stored minute."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from backend.core.windows import HOUR
from backend.errors import ExchangeRefused
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.services.orders.facts import MarketFacts
from backend.trading.alarms.decision import Situation
from backend.trading.alarms.signal import Signal
from backend.trading.alarms.strategy import Strategy
from backend.trading.rows import Product

COINS = {
    Product.SPOT: "USDT",
    Product.PERPETUAL_USDT: "USDT",
    Product.PERPETUAL_USDC: "USDC",
    Product.PERPETUAL_USD: "USD",
}
"""The coin in which sizes by equity are counted."""


class Held(NamedTuple):
    """What is held of a symbol, in base coins without a sign."""

    long: Decimal
    short: Decimal


class Situations:
    """May raise UnknownAccount, AccountFrozen, KeysSealed, ExchangeError and DatabaseUnavailable."""

    def __init__(self, *, accounts: Accounts, facts: MarketFacts) -> None:
        self._accounts = accounts
        self._facts = facts

    async def of(self, account_id: str, strategy: Strategy, symbol: str, signal: Signal) -> Situation:
        """What an alarm of a strategy meets now. The alarm's own price counts where the market has none."""
        account, source = await self._accounts.source(account_id, urgent=True)
        product = strategy.product
        price = await self._facts.price(account, product, symbol) or signal.entry_price or signal.exit_price
        if not price:
            raise ExchangeRefused(f"nothing tells the price of {symbol}, neither the exchange nor the alarm")
        wallet = (await source.balances([product])).get(product, ())
        equities = (row.equity or row.available for row in wallet if row.coin == COINS.get(product))
        needs_candle = any(
            side.startswith("candle.") for one in strategy.conditions for side in (one.left, one.right)
        )
        held = await _held(source, product, symbol)
        return Situation(
            price=price,
            equity=next(equities, Decimal(0)),
            long=held.long,
            short=held.short,
            hedged=product is not Product.SPOT and bool((await source.setup(product, symbol)).hedged),
            candle=await self._facts.last_candle(account, product, symbol, HOUR) if needs_candle else {},
        )

    async def held(self, account_id: str, product: Product, symbol: str) -> Held:
        """What an account holds of a symbol now."""
        _, source = await self._accounts.source(account_id, urgent=True)
        return await _held(source, product, symbol)


async def _held(source: AccountSource, product: Product, symbol: str) -> Held:
    if product is Product.SPOT:
        base = symbol.replace("-", "").removesuffix(COINS[Product.SPOT])
        wallet = (await source.balances([product])).get(product, ())
        return Held(next((row.available for row in wallet if row.coin == base), Decimal(0)), Decimal(0))
    long = short = Decimal(0)
    for row in await source.positions([product]):
        if row.symbol != symbol:
            continue
        is_long = row.held == "long" or (row.held == "net" and row.size > 0)
        long, short = (long + abs(row.size), short) if is_long else (long, short + abs(row.size))
    return Held(long, short)
