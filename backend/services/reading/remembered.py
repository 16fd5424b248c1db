"""One fact for each of many series, kept until the series changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Generic, TypeVar

from backend.core.series import Series
from backend.services.ports import Mark

Fact = TypeVar("Fact")

AT_ONCE = 16
"""Series that are read together."""


class Remembered(Generic[Fact]):
    """`read` tells the facts of some series, all of them.

    A mark is read before its fact. So a fact may be newer than its mark, which costs one more read when the
    mark changes, but never older.
    """

    def __init__(self, read: Callable[[Sequence[Series]], Awaitable[Mapping[Series, Fact]]]) -> None:
        self._read = read
        self._reading = asyncio.Lock()
        self._kept: dict[Series, tuple[Mark, Fact]] = {}

    async def of(self, marks: Mapping[Series, Mark]) -> dict[Series, Fact]:
        """The facts of the series in `marks`. Only changed series are read."""
        facts = self._kept_under(marks)
        changed = [series for series in marks if series not in facts]
        for first in range(0, len(changed), AT_ONCE):
            facts |= await self._read_unless_kept(
                {one: marks[one] for one in changed[first : first + AT_ONCE]}
            )
        return {series: facts[series] for series in marks}

    async def _read_unless_kept(self, marks: Mapping[Series, Mark]) -> dict[Series, Fact]:
        """One read at a time: a second caller with the same question finds the facts of the first."""
        async with self._reading:
            facts = self._kept_under(marks)
            if due := [one for one in marks if one not in facts]:
                fresh = await self._read(due)
                self._kept |= {one: (marks[one], fresh[one]) for one in due}
                facts |= fresh
            return facts

    def _kept_under(self, marks: Mapping[Series, Mark]) -> dict[Series, Fact]:
        kept = {one: self._kept[one] for one in marks if one in self._kept}
        return {one: fact for one, (mark, fact) in kept.items() if mark == marks[one]}

    def forget_all_but(self, series: Collection[Series]) -> None:
        """Keep no facts of other series than these."""
        for one in self._kept.keys() - series:
            del self._kept[one]
