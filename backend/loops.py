"""Permanent tasks: they continue as long as the process lives, after any error in a step.

An unexpected error ends a step, never the task. It is logged once and counted, and readiness reports it until
a later step succeeds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import NamedTuple

from backend.clock import Clock, iso
from backend.errors import DatabaseUnavailable
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Shortest and longest pause after a failed step, in seconds. The pause doubles each time, unless the
database is away: such a step takes long by itself."""

LOGGED_AGAIN_AFTER = 600.0
"""Seconds in which the same line of code logs its error only once."""

Step = Callable[[], Awaitable[None]]
Kind = tuple[str, type[BaseException], CodeType | None, int]


class Failing(NamedTuple):
    """`since` is in ms; `pause` are seconds until the next step."""

    name: str
    since: int
    pause: float


class Loops:
    """The permanent tasks of one process. `metrics` counts their failures by name."""

    def __init__(self, clock: Clock, metrics: Metrics | None = None) -> None:
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._failing: dict[object, Failing] = {}
        self._logged: dict[Kind, float] = {}

    def start(self, name: str, step: Step) -> asyncio.Task[None]:
        """Start a task that repeats `step`. The step itself waits for its time. The owner ends the task."""
        return asyncio.create_task(self.run(name, step), name=name)

    async def run(self, name: str, step: Step) -> None:
        """Repeat `step` until cancelled, with a pause after a failed step."""
        self._metrics.loop_begun(name)
        key = object()
        try:
            while True:
                with self.surviving(name, key):
                    await step()
                if failing := self._failing.get(key):
                    await self._clock.sleep(failing.pause)
        finally:
            self.forget(key)

    @contextmanager
    def surviving(self, name: str, key: object = None) -> Iterator[None]:
        """Let no error leave the block. With a `key`, an error marks the name as failing, until a block with
        the same key succeeds or the key is forgotten."""
        try:
            yield
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self.note(name, error, key)
        except Exception as error:  # noqa: BLE001 - so that tasks go on
            self.note(name, error, key)
        else:
            if self._failing.pop(key, None):
                log.info("%s: works again", name)

    def forget(self, key: object) -> None:
        """The work of this key has ended."""
        self._failing.pop(key, None)

    def troubles(self) -> list[str]:
        """A sentence for each name whose last step failed."""
        since: dict[str, int] = {}
        for one in self._failing.values():
            since[one.name] = min(since.get(one.name, one.since), one.since)
        return [
            f"{name}: fails since {iso(moment)}: see the log for the reason" for name, moment in since.items()
        ]

    def note(self, name: str, error: BaseException, key: object = None) -> None:
        """Count and log an error that was caught elsewhere."""
        self._metrics.step_failed(name)
        if key is not None:
            self._failing[key] = self._failed_again(name, error, self._failing.get(key))
        kind, now = _kind(name, error), self._clock.monotonic()
        is_news = now - self._logged.get(kind, -LOGGED_AGAIN_AFTER) >= LOGGED_AGAIN_AFTER
        if isinstance(error, DatabaseUnavailable) or not is_news:
            log.debug("%s: failed and continues: %s", name, error)
            return
        self._logged[kind] = now
        log.error("%s: unexpected error; the task continues. Please report it", name, exc_info=error)

    def _failed_again(self, name: str, error: BaseException, before: Failing | None) -> Failing:
        if before is None:
            return Failing(name, self._clock.now(), SHORTEST_PAUSE)
        if isinstance(error, DatabaseUnavailable):
            return before
        return before._replace(pause=min(2 * before.pause, LONGEST_PAUSE))


def _kind(name: str, error: BaseException) -> Kind:
    """Errors have one kind if the same line raises them."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (place.tb_frame.f_code, place.tb_lineno) if place else (None, 0)
    return (name, type(error), *where)
