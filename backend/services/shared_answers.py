"""One question for all who ask the same within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from backend.clock import Clock

Said = TypeVar("Said")

FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SharedAnswer(Generic[Said]):
    """What was said at `read` (ms UTC), `age` ms ago."""

    read: int
    age: int
    said: Said


@dataclass(frozen=True, slots=True)
class _Asked:
    task: asyncio.Task[Any]
    began: float
    read: int


class SharedAnswers:
    """Answers are kept for FRESH_SECONDS. A failure is told to those who wait for it, and to nobody later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: dict[Hashable, _Asked] = {}

    async def of(self, question: Hashable, ask: Callable[[], Awaitable[Said]]) -> SharedAnswer[Said]:
        """The answer to a question; `ask` asks it if there is no fresh one. Raises what `ask` raises."""
        now = self._clock.monotonic()
        asked = self._asked.get(question)
        if asked is None or now - asked.began >= FRESH_SECONDS:
            self._forget_old(now)
            task = asyncio.ensure_future(_answered(ask))
            asked = self._asked[question] = _Asked(task, now, self._clock.now())
            task.add_done_callback(lambda ended: self._ended(question, ended))
        said = await asyncio.shield(asked.task)
        age = int((self._clock.monotonic() - asked.began) * 1000)
        return SharedAnswer(asked.read, age, said)

    def _ended(self, question: Hashable, task: asyncio.Task[Any]) -> None:
        asked = self._asked.get(question)
        if (task.cancelled() or task.exception()) and asked is not None and asked.task is task:
            del self._asked[question]

    def _forget_old(self, now: float) -> None:
        old = [
            question
            for question, asked in self._asked.items()
            if asked.task.done() and now - asked.began >= FRESH_SECONDS
        ]
        for question in old:
            del self._asked[question]


async def _answered(ask: Callable[[], Awaitable[Said]]) -> Said:
    return await ask()
