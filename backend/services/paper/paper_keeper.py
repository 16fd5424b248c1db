"""Lets the prices of the markets meet what paper accounts have, each second. Any process does it for all."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from backend.clock import Clock
from backend.errors import AccountFrozen, UnknownAccount
from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.paper.ports import PaperStore

LOOK_SECONDS = 1.0


class PaperKeeper:
    """`stop` ends the task that `start` begins."""

    def __init__(self, *, accounts: Accounts, store: PaperStore, clock: Clock, loops: Loops) -> None:
        self._accounts = accounts
        self._store = store
        self._clock = clock
        self._loops = loops
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("paper accounts", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Bring every account that has something at stake up to the prices."""
        for account_id in await self._store.watched():
            with self._loops.surviving("paper accounts"):
                await self._advance(account_id)

    async def _advance(self, account_id: str) -> None:
        try:
            _, source = await self._accounts.source(account_id)
        except UnknownAccount:
            await self._store.remove(account_id)
        except AccountFrozen:
            return
        else:
            await source.positions(source.products)

    async def _step(self) -> None:
        await self.look()
        await self._clock.sleep(LOOK_SECONDS)
