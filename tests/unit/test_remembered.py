"""Facts are read again when their series changed, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from backend.core.series import Series
from backend.services.ports import Mark
from backend.services.reading.remembered import AT_ONCE, Remembered

MANY = [Series("binance", "spot", f"S{number:03d}USDT") for number in range(3 * AT_ONCE)]


class Facts:
    """Numbers by series; `read` lists who was read, in order."""

    def __init__(self) -> None:
        self.numbers = dict.fromkeys(MANY, 0)
        self.read: list[Series] = []
        self.failing = False

    async def __call__(self, series: Sequence[Series]) -> dict[Series, int]:
        assert len(series) <= AT_ONCE
        self.read += series
        found = {one: self.numbers[one] for one in series}
        await asyncio.sleep(0)
        if self.failing:
            raise RuntimeError
        return found


def marks(version: int, *newer: Series) -> dict[Series, Mark]:
    return {one: Mark((version + (one in newer),), holds=True) for one in MANY}


async def test_a_series_whose_mark_stays_is_read_once() -> None:
    facts = Facts()
    remembered = Remembered(facts)
    for _ in range(3):
        assert await remembered.of(marks(1)) == facts.numbers
    assert facts.read == MANY


async def test_a_series_with_a_new_mark_is_read_again_alone() -> None:
    facts = Facts()
    remembered = Remembered(facts)
    await remembered.of(marks(1))
    facts.read.clear()
    facts.numbers[MANY[5]] = 7
    assert (await remembered.of(marks(1, MANY[5])))[MANY[5]] == 7
    assert facts.read == [MANY[5]]


async def test_who_asks_at_the_same_time_shares_the_reading() -> None:
    facts = Facts()
    remembered = Remembered(facts)
    answers = await asyncio.gather(*(remembered.of(marks(1)) for _ in range(5)))
    assert answers == [facts.numbers] * 5
    assert sorted(facts.read, key=lambda one: one.name) == MANY


async def test_what_changes_while_it_is_read_is_read_again() -> None:
    """A mark is older than what is kept under it, so the next one differs."""
    facts = Facts()
    remembered = Remembered(facts)
    reading = asyncio.create_task(remembered.of(marks(1)))
    await asyncio.sleep(0)
    facts.numbers[MANY[0]] = 1
    await reading
    assert await remembered.of(marks(1, MANY[0])) == facts.numbers


async def test_a_reading_that_fails_leaves_the_facts_unread() -> None:
    facts = Facts()
    remembered = Remembered(facts)
    facts.failing = True
    (failure,) = await asyncio.gather(remembered.of(marks(1)), return_exceptions=True)
    assert isinstance(failure, RuntimeError)
    facts.failing = False
    assert await remembered.of(marks(1)) == facts.numbers


async def test_facts_of_series_that_are_gone_are_forgotten() -> None:
    facts = Facts()
    remembered = Remembered(facts)
    await remembered.of(marks(1))
    facts.read.clear()
    remembered.forget_all_but(MANY[1:])
    await remembered.of(marks(1))
    assert facts.read == MANY[:1]
