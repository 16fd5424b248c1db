"""Places the slices of TWAP orders when they are due.

Every process looks for slices. Each slice has an idempotency key of its own, so it is one order even if two
processes place it, or one dies before it has written that it did. A slice that cannot be placed before the
next one is due is left out, and counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from backend.clock import Clock
from backend.errors import (
    AccountContended,
    AccountFrozen,
    EntryUndecided,
    ExchangeError,
    InvalidRequest,
    KeysSealed,
    LiveTradingOff,
    RiskRefused,
    UnknownAccount,
    UnknownTwap,
)
from backend.loops import Loops
from backend.services.orders.executor import Executor
from backend.services.orders.ports import TwapStore
from backend.services.orders.settling import Settler
from backend.trading.intents import State
from backend.trading.tickets import InvalidTicket, Ticket
from backend.trading.twap import Twap, slice_sizes

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
ENDING = (InvalidRequest, LiveTradingOff, UnknownAccount, AccountFrozen, KeysSealed)
"""What no later slice can mend."""
PASSING = (AccountContended, EntryUndecided, ExchangeError, RiskRefused)
"""What may have passed before the slice is too late."""


class Twaps:
    """`stop` ends the task that `start` begins."""

    def __init__(
        self, *, executor: Executor, store: TwapStore, settler: Settler, clock: Clock, loops: Loops
    ) -> None:
        self._executor = executor
        self._store = store
        self._settler = settler
        self._clock = clock
        self._loops = loops
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("slices of TWAP orders", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def begin(self, account_id: str, ticket: Ticket, *, slices: int, seconds: int, caller: str) -> Twap:
        """Begin a TWAP order: the first slice is due at once, the last one slice before `seconds` are over.

        Raises InvalidRequest where the market's rules do not allow the slices, UnknownAccount, and
        LiveTradingOff.
        """
        account, rules = await self._executor.rules(account_id, ticket)
        try:
            sizes = slice_sizes(ticket, slices, rules)
        except InvalidTicket as error:
            raise InvalidRequest(str(error), code="invalid_order") from None
        twap = Twap(
            id=uuid4().hex,
            account=account.id,
            mode=account.mode,
            ticket=ticket,
            sizes=sizes,
            interval=seconds * 1000 // slices,
            started=self._clock.now(),
            caller=caller,
        )
        await self._store.add(twap)
        await self._note(twap, "begun", "")
        return twap

    async def get(self, twap_id: str) -> Twap:
        """Raises UnknownTwap."""
        if twap := await self._store.load(twap_id):
            return twap
        raise UnknownTwap("there is no such TWAP order")

    async def newest(self, account_id: str, limit: int) -> Sequence[Twap]:
        """The TWAP orders of an account, newest first."""
        return await self._store.newest(account_id, limit)

    async def cancel(self, twap_id: str, *, caller: str) -> Twap:
        """Place no more slices. Those that were placed stay as they are."""
        twap = await self.get(twap_id)
        while twap.status == "running":
            if await self._store.change(twap, replace(twap, status="cancelled")):
                await self._note(replace(twap, caller=caller), "cancelled", "")
            twap = await self.get(twap_id)
        return twap

    async def _step(self) -> None:
        await self.look()
        await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Place every slice that is due."""
        for twap in await self._store.due(self._clock.now()):
            with self._loops.surviving("slices of TWAP orders"):
                await self._place(twap)

    async def _place(self, twap: Twap) -> None:
        if twap.is_late(self._clock.now()):
            await self._over(twap, placed=False, reason="the slice was too late")
            return
        try:
            intent = await self._executor.place(
                twap.account, twap.slice(), caller=twap.caller, key=twap.slice_key, source=f"twap {twap.id}"
            )
        except ENDING as error:
            await self._store.change(twap, replace(twap, status="failed", reason=str(error)))
            await self._note(twap, "failed", str(error))
        except PASSING as error:
            log.info("TWAP %s: slice %d waits: %s", twap.id, twap.next, error)
        else:
            refused = intent.state is State.REFUSED
            await self._over(twap, placed=not refused, reason=intent.reason if refused else twap.reason)

    async def _over(self, twap: Twap, *, placed: bool, reason: str) -> None:
        """Go on to the next slice, unless somebody else has done so."""
        after = replace(twap.after(placed=placed), reason=reason)
        if await self._store.change(twap, after) and after.status == "done":
            await self._note(after, "done", f"{after.placed} placed, {after.skipped} left out")

    async def _note(self, twap: Twap, outcome: str, said: str) -> None:
        await self._settler.note(
            account=twap.account,
            caller=twap.caller,
            action="twap",
            intent=twap.id,
            outcome=outcome,
            said=said,
        )
