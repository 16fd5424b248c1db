"""Tells people what they must know: each thing once a quarter of an hour, to every target, until it has it.

`tell` never fails and never waits: what it is told about must go on. A notice is stored by the next step, and
delivered at least once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from backend.clock import Clock, wait_up_to
from backend.errors import NoticeNotDelivered
from backend.loops import Loops
from backend.services.notices.ports import NoticeStore, Way
from backend.services.orders.ports import AuditRecord
from backend.telemetry.metrics import Metrics
from backend.trading.notice import Notice, Topic

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
AGAIN_MS = 15 * 60_000
"""What happens again within so long is counted and not told again."""
FIRST_TRY_MS, LONGEST_TRY_MS = 10_000, 10 * 60_000
"""Time until a failed delivery is tried again; it doubles."""
MOST_TRIES = 12
MOST_WAITING = 1000
AT_ONCE = 20
LONGEST = 500
"""Characters of a sentence."""

TITLES: Mapping[Topic, str] = {
    Topic.ORDER_REFUSED: "An order was refused",
    Topic.ORDER_UNKNOWN: "Nobody knows yet what became of an order",
    Topic.ORDER_LOST: "An order never arrived",
    Topic.KILL_SWITCH: "The kill switch was turned",
    Topic.TWAP_FAILED: "A TWAP order failed",
    Topic.TRIGGER_FAILED: "A trigger order failed",
    Topic.ALARM_FAILED: "An alarm was not carried out",
    Topic.ALARM_REFUSED: "An alarm was not let in",
    Topic.ACCOUNT_TROUBLE: "An account cannot be asked",
    Topic.RISK_LIMIT: "A limit of an account refused an order",
    Topic.FOLLOW_BEHIND: "Followed series are behind",
}

OF_AUDIT: Mapping[tuple[str, str], Topic] = {
    ("place", "refused"): Topic.ORDER_REFUSED,
    ("place", "unknown"): Topic.ORDER_UNKNOWN,
    ("place", "never_arrived"): Topic.ORDER_LOST,
    ("place", "over_limit"): Topic.RISK_LIMIT,
    ("twap", "failed"): Topic.TWAP_FAILED,
    ("trigger", "failed"): Topic.TRIGGER_FAILED,
}


class Notices:
    """`ways` by the name of their target; without any, nothing is kept. `stop` ends what `start` begins."""

    def __init__(
        self,
        *,
        store: NoticeStore,
        ways: Mapping[str, Way],
        clock: Clock,
        loops: Loops,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._ways = ways
        self._clock = clock
        self._loops = loops
        self._metrics = metrics
        self._waiting: deque[Notice] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._ways)

    def start(self) -> None:
        self._task = self._loops.start("notices", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def tell(self, topic: Topic, about: str, said: str) -> None:
        """Something happened."""
        if not self.is_on:
            return
        now = self._clock.now()
        notice = Notice(
            id=f"{topic}/{about}/{now // AGAIN_MS}",
            topic=topic,
            about=about,
            said=said[:LONGEST],
            time=now,
            left=tuple(sorted(self._ways)),
            due=now,
        )
        self._waiting.append(notice)
        self._news.set()

    def heard(self, record: AuditRecord) -> None:
        """The audit trail has a new record."""
        topic = OF_AUDIT.get((record.action, record.outcome))
        if record.action == "kill":
            topic = Topic.KILL_SWITCH
        if topic is not None:
            # Limits refuse many orders in a row: they are one notice.
            is_of_order = topic is not Topic.RISK_LIMIT and record.intent
            about = record.intent if is_of_order else record.account
            who = f"account {record.account}, by {record.caller}"
            self.tell(topic, about, f"{record.said or record.outcome} ({who}, {about})")

    async def _step(self) -> None:
        self._news.clear()
        await self.deliver()
        await wait_up_to(LOOK_SECONDS, self._news)

    async def deliver(self) -> None:
        """Store what was told, and deliver what is due."""
        while self._waiting:
            await self._store.add(self._waiting[0])
            self._waiting.popleft()
        now = self._clock.now()
        for notice in await self._store.due(now, AT_ONCE):
            with self._loops.surviving("notices"):
                pause = min(FIRST_TRY_MS << min(notice.tries, 20), LONGEST_TRY_MS)
                if await self._store.claim(notice, now + pause):
                    await self._deliver(notice)

    async def _deliver(self, notice: Notice) -> None:
        if notice.tries >= MOST_TRIES:
            log.error("notice %s reaches nobody: %s", notice.id, ", ".join(notice.left))
            await self._store.give_up(notice)
            return
        times = f" ({notice.count} times)" if notice.count > 1 else ""
        for target in notice.left:
            way = self._ways.get(target)
            try:
                if way is not None:
                    await way.send(TITLES[notice.topic], f"{notice.said}{times}", notice)
            except NoticeNotDelivered as error:
                log.warning("notice %s did not reach %s: %s", notice.id, target, error)
                self._metrics.notice(target, "failed")
            else:
                self._metrics.notice(target, "sent")
                await self._store.delivered(notice, target)
