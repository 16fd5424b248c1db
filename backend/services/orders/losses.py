"""What an account has lost since 00:00 UTC in a product, open positions included."""

from __future__ import annotations

from decimal import Decimal

from backend.clock import Clock
from backend.core.windows import DAY, MINUTE
from backend.errors import ExchangeRefused
from backend.services.accounts.ports import AccountSource
from backend.services.shared_answers import SharedAnswers
from backend.trading.account import Account
from backend.trading.history import Kind
from backend.trading.money import opposite, total
from backend.trading.rows import Bill, Product, Wanted

MOST_PAGES = 50
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
        bills = await _bills(source, product, now - now % DAY, now + MINUTE)
        results = (row.amount - (row.fee or 0) for row in bills if _counts(row, COINS[product]))
        positions = await source.positions([product])
        open_results = (row.unrealised for row in positions if row.unrealised is not None)
        return opposite(total((*results, *open_results)))


def _counts(row: Bill, coin: str) -> bool:
    return row.coin == coin and not any(word in row.kind.lower() for word in NO_RESULT)


async def _bills(source: AccountSource, product: Product, start: int, end: int) -> list[Bill]:
    """All changes of the wallet in a window."""
    rows: dict[str, Bill] = {}
    cursor = ""
    for _ in range(MOST_PAGES):
        page = await source.bills(Wanted(product=product, start=start, end=end, cursor=cursor))
        fresh = {row.bill_id: row for row in page.rows if row.bill_id not in rows}
        rows |= fresh
        if page.full:
            break
        if page.cursor is None or not fresh:
            return [row for row in rows.values() if start <= row.time < end]
        cursor = page.cursor
    raise ExchangeRefused("the account has too many changes of balances today to add them up")
