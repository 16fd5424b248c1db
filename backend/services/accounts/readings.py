"""The present state of an account at its venue: wallets, positions, fees, open orders.

Equal questions within a second share one answer. Each answer has the time of its reading.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from backend.clock import Clock
from backend.errors import InvalidRequest
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.services.shared_answers import SharedAnswers
from backend.trading.account import Account
from backend.trading.rows import Balance, FeeRates, Order, Position, Product

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class AccountReading(Generic[Said]):
    """What a venue said of an account at `read` (ms UTC), `age` ms ago."""

    account: Account
    read: int
    age: int
    said: Said


class Readings:
    """All may raise UnknownAccount, AccountFrozen, KeysSealed, ExchangeError and DatabaseUnavailable."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._answers = SharedAnswers(clock)

    async def balances(
        self, account_id: str, product: Product | None = None
    ) -> AccountReading[Mapping[Product, tuple[Balance, ...]]]:
        """The wallets of an account, or that of one product."""
        return await self._read(
            account_id,
            ("balances", product),
            lambda source: source.balances(_products(source, product)),
        )

    async def positions(
        self, account_id: str, product: Product | None = None
    ) -> AccountReading[tuple[Position, ...]]:
        """Open positions: one a symbol, or a long and a short one where the account holds both."""
        return await self._read(
            account_id,
            ("positions", product),
            lambda source: source.positions(_products(source, product)),
        )

    async def only_at(self, venue: str) -> str:
        """The id of the only account at a venue, as it was a second ago at most. Raises InvalidRequest where
        there is none, or more than one."""
        answer = await self._answers.of(("accounts", venue), lambda: self._accounts.only_at(venue))
        return answer.said

    async def fees(self, account_id: str, product: Product, symbol: str) -> AccountReading[FeeRates]:
        """What trading a symbol, in the venue's spelling, costs the account."""

        async def ask(source: AccountSource) -> FeeRates:
            _products(source, product)
            return await source.fees(product, symbol)

        return await self._read(account_id, ("fees", product, symbol), ask)

    async def open_orders(
        self, account_id: str, product: Product | None = None
    ) -> AccountReading[list[Order]]:
        """Orders that are not finished, oldest first."""

        async def ask(source: AccountSource) -> list[Order]:
            orders = [row for one in _products(source, product) for row in await source.open_orders(one)]
            return sorted(orders, key=lambda row: (row.created, row.order_id))

        return await self._read(account_id, ("orders", product), ask)

    async def _read(
        self, account_id: str, question: Hashable, ask: Callable[[AccountSource], Awaitable[Said]]
    ) -> AccountReading[Said]:
        answer = await self._answers.of((account_id, question), lambda: self._ask(account_id, ask))
        account, said = answer.said
        return AccountReading(account, answer.read, answer.age, said)

    async def _ask(
        self, account_id: str, ask: Callable[[AccountSource], Awaitable[Said]]
    ) -> tuple[Account, Said]:
        account, source = await self._accounts.source(account_id)
        return account, await ask(source)


def _products(source: AccountSource, product: Product | None) -> Sequence[Product]:
    if product is None:
        return source.products
    if product not in source.products:
        known = ", ".join(source.products)
        raise InvalidRequest(f"this account has no {product}: it has {known}", code="unknown_product")
    return (product,)
