"""Listens to the sockets of accounts. What they tell hurries the next look; nothing is believed of it.

A socket that says nothing, lies or is away costs only time: the account is looked at every minute all the
same. Each account is listened to by one of the processes that share the database. While they do not agree
who that is, two may listen, or none for a moment.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from backend.clock import Clock
from backend.core.rendezvous import chosen
from backend.errors import AccountFrozen, ExchangeError, KeysSealed, UnknownAccount
from backend.loops import Loops, Step
from backend.services.accounts.accounts import Accounts
from backend.trading.account import Account, Mode

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How often the accounts are listed anew."""
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the next attempt; the pause doubles until a connection was steady."""
STEADY_SECONDS = 60.0

Key: TypeAlias = tuple[str, str]
"""An account and the name of one of its sockets."""


class Listening:
    """`others` are the processes that work, this one among them; `hurry` has an account looked at soon.
    `stop` ends what `start` begins."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        hurry: Callable[[str], None],
        name: str,
        others: Callable[[], frozenset[str]],
        clock: Clock,
        loops: Loops,
    ) -> None:
        self._accounts = accounts
        self._hurry = hurry
        self._name = name
        self._others = others
        self._clock = clock
        self._loops = loops
        self._ears: dict[Key, asyncio.Task[None]] = {}
        self._troubled: dict[Key, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("list of sockets of accounts", self._step)

    async def stop(self) -> None:
        tasks = [one for one in (self._task, *self._ears.values()) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._ears.clear()

    async def _step(self) -> None:
        await self.look()
        await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Begin to listen to accounts that are new here, and end it for those that are gone."""
        wanted: set[Key] = set()
        for account in await self._accounts.all():
            if self._is_mine(account):
                wanted |= {(account.id, name) for name in await self._sockets(account)}
        for key in self._ears.keys() - wanted:
            self._ears.pop(key).cancel()
            self._troubled.pop(key, None)
        for key in wanted - self._ears.keys():
            self._ears[key] = self._loops.start("sockets of accounts", self._ear(key))

    def _is_mine(self, account: Account) -> bool:
        if account.mode is Mode.PAPER or account.frozen:
            return False
        return chosen(account.id, self._others() | {self._name}) == self._name

    async def _sockets(self, account: Account) -> tuple[str, ...]:
        with suppress(UnknownAccount, AccountFrozen, KeysSealed):
            return (await self._accounts.source(account.id))[1].sockets
        return ()

    def _ear(self, key: Key) -> Step:
        """One socket of one account, connected again and again."""
        failures = 0

        async def step() -> None:
            nonlocal failures
            began = self._clock.monotonic()
            await self._listen(key)
            failures = 0 if self._clock.monotonic() - began >= STEADY_SECONDS else failures + 1
            longest = min(SHORTEST_PAUSE * 2.0 ** min(failures, 16), LONGEST_PAUSE)
            await self._clock.sleep(random.uniform(longest / 2, longest))

        return step

    async def _listen(self, key: Key) -> None:
        """Keep one connection while it lasts."""
        account, name = key

        def heard() -> None:
            if key in self._troubled:
                log.info("account %s: the socket %sis connected again", account, f"{name} " if name else "")
                del self._troubled[key]
            self._hurry(account)

        try:
            _, source = await self._accounts.source(account)
            said = await source.listen(name, heard)
        except (UnknownAccount, AccountFrozen, KeysSealed, ExchangeError) as error:
            said = str(error)
        if self._troubled.get(key) != said:
            self._troubled[key] = said
            log.info("account %s: no socket%s: %s", account, f" {name}" if name else "", said)
