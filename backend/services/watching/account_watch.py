"""Looks at every account again and again, writes down what happened there, and lets listeners read it.

Each account has its time in the database, so any process looks for all. An account is looked at each minute,
every two seconds while somebody listens, and a second after an order of this service.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from backend.clock import Clock, wait_up_to
from backend.errors import AccountFrozen, ExchangeError, KeysSealed, UnknownAccount
from backend.loops import Loops
from backend.precedence import Precedence
from backend.services.accounts.accounts import Accounts
from backend.services.history.ports import HistoryStore
from backend.services.watching.account_look import look
from backend.services.watching.ports import Visit, WatchStore
from backend.trading.history import Kind
from backend.trading.notice import Topic
from backend.trading.snapshot import News, NewsKind, Trouble

log = logging.getLogger(__name__)

STEP_SECONDS = 0.5
LISTENED_MS = 2000
"""Time between two looks while somebody listens."""
CLAIM_MS = 120_000
"""A look takes less. If its process dies, another one looks after so long."""
HURRY_MS = 1000
"""Time from an order of this service to the look: orders that follow each other share one."""
LIST_SECONDS = 5.0
"""How often new accounts are looked for."""
AFTER_TROUBLE_MS = 15_000
AT_ONCE = 3
"""Accounts that are looked at side by side."""
LONGEST_REASON = 200


class AccountWatch:
    """`every` are the seconds between two looks at an account; at 0 there are none. `stop` ends the task that
    `start` begins."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        store: WatchStore,
        history: HistoryStore,
        clock: Clock,
        loops: Loops,
        every: float,
        precedence: Precedence,
        tell: Callable[[Topic, str, str], None] = lambda _topic, _about, _said: None,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._history = history
        self._clock = clock
        self._loops = loops
        self._every_ms = int(every * 1000)
        self._tell = tell
        self._precedence = precedence
        self._hurried: dict[str, int] = {}
        self._news = asyncio.Event()
        self._listed: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        return self._every_ms > 0

    def start(self) -> None:
        if self.is_on:
            self._task = self._loops.start("watch of accounts", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def hurry(self, account: str) -> None:
        """Something happens in an account: look soon."""
        self._hurried.setdefault(account, self._clock.now() + HURRY_MS)
        self._news.set()

    async def _step(self) -> None:
        self._news.clear()
        await self.look_at_all()
        await wait_up_to(STEP_SECONDS, self._news)

    async def look_at_all(self) -> None:
        """Look at every account whose time has come."""
        now = self._clock.now()
        if self._listed is None or self._clock.monotonic() - self._listed >= LIST_SECONDS:
            await self._store.ensure([account.id for account in await self._accounts.all()], now)
            self._listed = self._clock.monotonic()
        if self._hurried:
            hurried, self._hurried = self._hurried, {}
            for account, moment in hurried.items():
                await self._store.hurry([account], moment)
        visits: list[Visit] = []
        while len(visits) < AT_ONCE and (visit := await self._store.claim(now, now + CLAIM_MS)):
            visits.append(visit)
        async with asyncio.TaskGroup() as group:
            for visit in visits:
                group.create_task(self._visited(visit))

    async def _visited(self, visit: Visit) -> None:
        with self._loops.surviving("watch of accounts"):
            await self._precedence.give_way()
            await self._visit(visit)

    async def _visit(self, visit: Visit) -> None:
        now = self._clock.now()
        known, trouble, is_news = visit.known, "", False
        news: list[News] = []
        try:
            _, source = await self._accounts.source(visit.account)
            seen = await look(source, known)
        except UnknownAccount:
            return
        except (AccountFrozen, KeysSealed, ExchangeError) as error:
            trouble = str(error)[:LONGEST_REASON]
            is_news = not isinstance(error, AccountFrozen)
        else:
            known, news = seen.known, seen.news
            for kind, read in ((Kind.ORDERS, seen.orders), (Kind.FILLS, seen.fills)):
                for rows in read.values():
                    await self._history.put(visit.account, kind, rows)
        if trouble != visit.known.trouble:
            log.info("account %s: %s", visit.account, trouble or "the exchange can be asked again")
            if is_news:
                self._tell(Topic.ACCOUNT_TROUBLE, visit.account, f"account {visit.account}: {trouble}")
            news = [News(NewsKind.TROUBLE, Trouble(said=trouble)), *news]
        known = replace(known, trouble=trouble)
        pause = LISTENED_MS if visit.is_listened_to else self._every_ms
        if trouble:
            pause = min(max(pause, AFTER_TROUBLE_MS), self._every_ms)
        await self._store.keep(visit, known, news, now, now + pause)
