"""The processes that share one database, and the part of each in the budgets of their common address.

Exchanges count by IP address, so the processes behind one address split each budget. A process that runs jobs
has weight one; a process that only answers requests has a small weight, and a larger one at exchanges where
it sends orders. Every few seconds each process announces itself and reads who else is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal, Protocol

from backend.clock import Clock
from backend.errors import DatabaseUnavailable
from backend.loops import Loops
from backend.services.ports import FleetStore, Member
from backend.services.syncing.ledger import RENEWALS

log = logging.getLogger(__name__)

Role = Literal["all", "api", "worker", "command", "follow"]
"""What a process does: requests and jobs, only requests, only jobs, one command and its jobs, or the command
`follow`, which shows follows and works if no worker is there."""

FAREWELL_SECONDS = 1.0
WORK_WEIGHT = 1.0
IDLE_WEIGHT = 0.05
"""A process without jobs only asks exchanges for their lists and their time."""
TRADING_WEIGHT = 0.25
"""One that sends orders needs more, or they wait for the budget beside a worker. Of Bitget's 6,000 requests a
minute and address it then has a fifth, more than the 600 orders that an account may place in a minute."""


class SharedBudget(Protocol):
    """One budget at an exchange."""

    @property
    def longest(self) -> float:
        """Seconds after which nothing spent counts any more."""

    def take_part(self, part: float) -> None:
        """Spend only this part from now on."""

    def hold_off(self, seconds: float) -> None:
        """Spend nothing for some seconds."""


class Fleet:
    """This process among the others. `seconds` after its last announcement a process counts as dead.

    `traded` are those of the `budgets` that orders use too. For some names `is_gone` knows it earlier.
    """

    def __init__(
        self,
        *,
        store: FleetStore,
        member: Member,
        budgets: Iterable[SharedBudget],
        traded: Iterable[SharedBudget] = (),
        clock: Clock,
        seconds: float,
        is_gone: Callable[[str], bool] = lambda _name: False,
        loops: Loops | None = None,
    ) -> None:
        self._store = store
        self._member = member
        self._budgets = tuple(budgets)
        self._traded = tuple(traded)
        self._clock = clock
        self._seconds = seconds
        self._is_gone = is_gone
        self._loops = loops or Loops(clock)
        self._spends = False
        self.keepers: frozenset[str] = frozenset({member.name} if member.works else ())

    @property
    def name(self) -> str:
        """This process's name; `keepers` are those that look after follows, as far as we know."""
        return self._member.name

    async def join(self, weight: float | None = None) -> list[Member]:
        """Announce this process, perhaps with a new weight. Returns the others.

        If other processes run jobs already, a new worker waits until they use smaller parts, and until their
        spending no longer counts. Raises DatabaseUnavailable.
        """
        if weight is not None:
            self._member = self._member._replace(weight=weight)
        members = await self._store.beat(self._member, self._seconds)
        others = [one for one in members if self._counts(one)]
        beside = [one for one in others if one.egress == self._member.egress]
        if self._member.weight >= WORK_WEIGHT and not self._spends:
            self._spends = True
            if any(one.weight >= WORK_WEIGHT for one in beside):
                self._make_room()
        self.keepers = frozenset(one.name for one in (self._member, *others) if one.works)
        for purse in self._budgets:
            weigh = _trading_weight if purse in self._traded else _weight
            purse.take_part(weigh(self._member) / sum(weigh(one) for one in (self._member, *beside)))
        return others

    async def become(self, role: Role) -> None:
        """Count as a process of another role from now on. Raises DatabaseUnavailable."""
        self._member = member_of(self._member.name, self._member.egress, role, trades=self._member.trades)
        await self.join()

    def _make_room(self) -> None:
        log.info("other processes share this address: this process starts its requests in about a minute")
        for purse in self._budgets:
            purse.hold_off(self._seconds / RENEWALS + purse.longest)

    def _counts(self, one: Member) -> bool:
        """False for ourselves, and for a process of this machine that died without a farewell."""
        return one.name != self._member.name and not self._is_gone(one.name)

    def stay(self) -> asyncio.Task[None]:
        """Repeat the announcement in a task. The caller ends it."""
        return self._loops.start("word to other processes", self._say_again)

    async def _say_again(self) -> None:
        await self.join()
        await self._clock.sleep(self._seconds / RENEWALS)

    async def leave(self) -> None:
        """Say goodbye, so that the others need not wait until we count as dead."""
        with suppress(DatabaseUnavailable, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._store.leave(self._member)


def member_of(name: str, egress: str, role: Role, *, trades: bool = False) -> Member:
    """How a process of this role counts. `trades`: orders may be sent from it."""
    works = role in ("all", "worker")
    serves = works or role == "api"
    return Member(name, egress, WORK_WEIGHT if works else IDLE_WEIGHT, works, trades and serves)


def _weight(member: Member) -> float:
    return member.weight


def _trading_weight(member: Member) -> float:
    return max(member.weight, TRADING_WEIGHT) if member.trades else member.weight
