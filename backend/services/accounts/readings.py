"""What venues say of an account now: wallets, positions, fees, open orders.

Whoever asks the same within a second gets the same answer, and each answer says when it was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from backend.clock import Clock
from backend.errors import InvalidRequest
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.trading.account import Account
from backend.trading.rows import Balance, FeeRates, Order, Position, Product

Said = TypeVar("Said")

FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reading(Generic[Said]):
    """What a venue said of an account at `read` (ms UTC), `age` ms ago."""

    account: Account
    read: int
    age: int
    said: Said


@dataclass(frozen=True, slots=True)
class _Asked:
    task: asyncio.Task[Any]
    began: float
    read: int


class Readings:
    """All may raise UnknownAccount, AccountFrozen, KeysSealed, ExchangeError and DatabaseUnavailable."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._asked: dict[Hashable, _Asked] = {}

    async def balances(
        self, account_id: str, product: Product | None = None
    ) -> Reading[Mapping[Product, tuple[Balance, ...]]]:
        """The wallets of an account, or that of one product."""
        return await self._read(
            account_id,
            ("balances", product),
            lambda source: source.balances(_products(source, product)),
        )

    async def positions(
        self, account_id: str, product: Product | None = None
    ) -> Reading[tuple[Position, ...]]:
        """Open positions: one a symbol, or a long and a short one where the account holds both."""
        return await self._read(
            account_id,
            ("positions", product),
            lambda source: source.positions(_products(source, product)),
        )

    async def fees(self, account_id: str, product: Product, symbol: str) -> Reading[FeeRates]:
        """What trading a symbol, in the venue's spelling, costs the account."""

        async def ask(source: AccountSource) -> FeeRates:
            _products(source, product)
            return await source.fees(product, symbol)

        return await self._read(account_id, ("fees", product, symbol), ask)

    async def open_orders(self, account_id: str, product: Product | None = None) -> Reading[list[Order]]:
        """Orders that are not finished, oldest first."""

        async def ask(source: AccountSource) -> list[Order]:
            orders = [row for one in _products(source, product) for row in await source.open_orders(one)]
            return sorted(orders, key=lambda row: (row.created, row.order_id))

        return await self._read(account_id, ("orders", product), ask)

    async def _read(
        self, account_id: str, question: Hashable, ask: Callable[[AccountSource], Awaitable[Said]]
    ) -> Reading[Said]:
        account = await self._accounts.get(account_id)
        key = (account_id, question)
        now = self._clock.monotonic()
        asked = self._asked.get(key)
        if asked is None or now - asked.began >= FRESH_SECONDS:
            self._forget_old(now)
            asked = self._asked[key] = _Asked(
                asyncio.ensure_future(self._ask(account_id, ask)), now, self._clock.now()
            )
            asked.task.add_done_callback(lambda task: self._ended(key, task))
        said = await asyncio.shield(asked.task)
        age = int((self._clock.monotonic() - asked.began) * 1000)
        return Reading(account, asked.read, age, said)

    async def _ask(self, account_id: str, ask: Callable[[AccountSource], Awaitable[Said]]) -> Said:
        _, source = await self._accounts.source(account_id)
        return await ask(source)

    def _ended(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        """A failure is told to those who wait for it, and to nobody later."""
        asked = self._asked.get(key)
        if (task.cancelled() or task.exception()) and asked is not None and asked.task is task:
            del self._asked[key]

    def _forget_old(self, now: float) -> None:
        old = [
            key
            for key, asked in self._asked.items()
            if asked.task.done() and now - asked.began >= FRESH_SECONDS
        ]
        for key in old:
            del self._asked[key]


def _products(source: AccountSource, product: Product | None) -> Sequence[Product]:
    if product is None:
        return source.products
    if product not in source.products:
        known = ", ".join(source.products)
        raise InvalidRequest(f"this account has no {product}: it has {known}", code="unknown_product")
    return (product,)
