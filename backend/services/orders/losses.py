"""What an account has lost since 00:00 UTC in a product, open positions included."""

from __future__ import annotations

from decimal import Decimal

from backend.clock import Clock
from backend.core.windows import DAY, MINUTE
from backend.services.accounts.ports import AccountSource
from backend.services.history.window_reading import rows_of
from backend.services.shared_answers import SharedAnswers
from backend.trading.account import Account
from backend.trading.history import Kind
from backend.trading.money import opposite, total
from backend.trading.rows import Bill, Product, Wanted

COINS = {Product.PERPETUAL_USDT: "USDT", Product.PERPETUAL_USDC: "USDC"}
"""The products whose losses can be added up: they are in one coin."""

NO_RESULT = ("trans", "deposit", "withdraw")
"""Parts of the venues' words for money that came or went, and was neither won nor lost."""


class DayLosses:
    """Asked for at most once a second of each account and product."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers = SharedAnswers(clock)

    async def of(self, account: Account, source: AccountSource, product: Product) -> Decimal | None:
        """The loss in the product's coin, below zero for a gain; None where the venue does not tell what is
        needed. May raise ExchangeError."""
        if product not in COINS or source.offer(Kind.BILLS, product) is None:
            return None
        answer = await self._answers.of((account.id, product), lambda: self._ask(source, product))
        return answer.said

    async def _ask(self, source: AccountSource, product: Product) -> Decimal:
        now = await source.now()
        wanted = Wanted(product=product, start=now - now % DAY, end=now + MINUTE)
        results = [
            row.amount - (row.fee or 0)
            async for came in rows_of(source.bills, wanted)
            for row in came.rows.values()
            if isinstance(row, Bill) and row.time >= wanted.start and _counts(row, COINS[product])
        ]
        positions = await source.positions([product])
        open_results = (row.unrealised for row in positions if row.unrealised is not None)
        return opposite(total((*results, *open_results)))


def _counts(row: Bill, coin: str) -> bool:
    return row.coin == coin and not any(word in row.kind.lower() for word in NO_RESULT)
