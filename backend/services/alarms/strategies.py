"""Makes, changes and removes strategies. Each change is a new revision; none is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from secrets import token_urlsafe

from backend.clock import Clock
from backend.errors import StrategyContended, StrategyExists, UnknownStrategy
from backend.services.accounts.accounts import Accounts
from backend.services.alarms.ports import StrategyStore
from backend.trading.alarms.strategy import Strategy, token_digest

log = logging.getLogger(__name__)


class Strategies:
    """All may raise DatabaseUnavailable."""

    def __init__(self, *, store: StrategyStore, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def add(self, strategy: Strategy) -> tuple[Strategy, str]:
        """Store a new one, and return it with its token, which is told only now. Raises StrategyExists and
        UnknownAccount."""
        await self._accounts.get(strategy.account)
        known = await self._store.revisions(strategy.id)
        token = token_urlsafe(32)
        made = replace(
            strategy,
            revision=known[0].revision + 1 if known else 1,
            token=token_digest(token),
            changed=self._clock.now(),
        )
        if await self._store.load(strategy.id) is not None or not await self._store.put(made):
            raise StrategyExists(f"there is a strategy {strategy.id} already: change it, or use another name")
        log.info("strategy %s is added for account %s", made.id, made.account)
        return made, token

    async def get(self, strategy_id: str) -> Strategy:
        """Raises UnknownStrategy."""
        if strategy := await self._store.load(strategy_id):
            return strategy
        raise UnknownStrategy("there is no such strategy: ask for the list of strategies")

    async def all(self) -> Sequence[Strategy]:
        """The present revision of each."""
        return await self._store.all()

    async def revisions(self, strategy_id: str) -> Sequence[Strategy]:
        """All revisions of one, newest first. Raises UnknownStrategy."""
        await self.get(strategy_id)
        return await self._store.revisions(strategy_id)

    async def revision(self, strategy_id: str, number: int) -> Strategy:
        """A revision of one, also when the strategy was removed. Raises UnknownStrategy."""
        if strategy := await self._store.load(strategy_id, number):
            return strategy
        raise UnknownStrategy(f"strategy {strategy_id} has no revision {number}")

    async def change(self, strategy_id: str, change: Callable[[Strategy], Strategy]) -> Strategy:
        """Store a changed revision. Raises UnknownStrategy, UnknownAccount, StrategyContended."""
        known = await self.get(strategy_id)
        made = replace(change(known), revision=known.revision + 1, changed=self._clock.now())
        await self._accounts.get(made.account)
        if not await self._store.put(made):
            raise StrategyContended("somebody changes this strategy at the moment: read it and try again")
        return made

    async def new_token(self, strategy_id: str) -> tuple[Strategy, str]:
        """Give it another token; the old one is worth nothing from now on."""
        token = token_urlsafe(32)
        return await self.change(strategy_id, lambda one: replace(one, token=token_digest(token))), token

    async def remove(self, strategy_id: str) -> Strategy:
        """Take one out of use. Its alarms and revisions stay. Raises UnknownStrategy."""
        known = await self.get(strategy_id)
        await self._store.remove(strategy_id)
        log.warning("strategy %s is removed", strategy_id)
        return known
