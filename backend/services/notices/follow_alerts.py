"""Tells people of follows that do not keep up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from backend.clock import Clock
from backend.core.follow import Standing
from backend.core.windows import MINUTE
from backend.loops import Loops
from backend.trading.notice import Topic

LOOK_SECONDS = 120.0
LATE_MS = 10 * MINUTE
"""A follow that is so far behind has a trouble that a person must know."""
NAMED = 5
"""Follows that a notice names; of the others it tells the number."""


class FollowAlerts:
    """`stop` ends the task that `start` begins."""

    def __init__(
        self,
        *,
        follows: Callable[[], Awaitable[Sequence[Standing]]],
        tell: Callable[[Topic, str, str], None],
        clock: Clock,
        loops: Loops,
    ) -> None:
        self._follows = follows
        self._tell = tell
        self._clock = clock
        self._loops = loops
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("looks for follows behind", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _step(self) -> None:
        await self.look()
        await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell which follows are late."""
        late = [one for one in await self._follows() if one.lag is not None and one.lag > LATE_MS]
        if not late:
            return
        late.sort(key=lambda one: -(one.lag or 0))
        named = "; ".join(map(_told, late[:NAMED]))
        others = f"; and {len(late) - NAMED} more" if len(late) > NAMED else ""
        self._tell(Topic.FOLLOW_BEHIND, "follows", f"behind: {named}{others}")


def _told(one: Standing) -> str:
    series, failure = one.follow.series, one.follow.failure
    reason = f": {failure.message}" if failure else ""
    minutes = (one.lag or 0) // MINUTE
    return f"{series.symbol} ({series.exchange} {series.market}) by {minutes} minutes{reason}"
