"""Orders and alarms go first; what takes long goes on all the same."""

from __future__ import annotations

import asyncio
import time

import pytest

from backend import precedence as module
from backend.precedence import ALERT_SECONDS, PART, Precedence
from tests.fakes import FakeClock


class Work:
    """Long work in pieces; `at_once` is the most that were under way at a time."""

    def __init__(self, precedence: Precedence) -> None:
        self.precedence = precedence
        self.done = self.at_once = self._now = 0

    async def piece(self) -> None:
        async with self.precedence.turn():
            self._now += 1
            self.at_once = max(self.at_once, self._now)
            await asyncio.sleep(0)
            self._now -= 1
            self.done += 1

    async def pieces(self, number: int) -> None:
        await asyncio.gather(*(self.piece() for _ in range(number)))


async def test_where_nobody_trades_nothing_waits() -> None:
    work = Work(Precedence())
    await work.pieces(5)
    assert (work.done, work.at_once) == (5, 5)


async def test_around_orders_long_work_is_done_a_piece_at_a_time() -> None:
    clock = FakeClock()
    precedence = Precedence(clock)
    work = Work(precedence)
    with precedence.first():
        pass
    await work.pieces(5)
    assert work.at_once == 1
    clock.advance(ALERT_SECONDS + 1)
    await work.pieces(5)
    assert (work.done, work.at_once) == (10, 5)


async def test_orders_of_another_process_count_too() -> None:
    work = Work(precedence := Precedence())
    precedence.expect()
    await work.pieces(5)
    assert work.at_once == 1


async def test_long_work_waits_until_all_that_is_urgent_is_over() -> None:
    precedence = Precedence()
    work = Work(precedence)
    with precedence.first():
        with precedence.first():
            task = asyncio.create_task(work.piece())
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        assert work.done == 0
    await task
    assert work.done == 1


async def test_an_error_ends_what_is_urgent_and_gives_the_turn_back() -> None:
    precedence = Precedence()
    with pytest.raises(ValueError, match="no order"), precedence.first():
        raise ValueError("no order")
    with pytest.raises(ValueError, match="no page"):
        async with precedence.turn():
            raise ValueError("no page")
    await asyncio.wait_for(Work(precedence).pieces(2), 5)


async def test_however_much_is_urgent_long_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.02)
    precedence = Precedence()
    work = Work(precedence)
    began = time.monotonic()
    with precedence.first():
        await asyncio.wait_for(work.pieces(3), 5)
    assert work.done == 3
    assert time.monotonic() - began >= 0.06


async def test_a_page_is_written_at_once_and_in_parts_around_orders() -> None:
    precedence, rows = Precedence(FakeClock()), list(range(1000))
    assert [part async for part in precedence.parts(rows)] == [rows]
    assert [part async for part in precedence.parts(rows[:0])] == []
    precedence.expect()
    parts = [part async for part in precedence.parts(rows[: 2 * PART + 101])]
    assert [len(part) for part in parts] == [PART, PART, 101]
    assert [row for part in parts for row in part] == rows[: 2 * PART + 101]


async def test_an_order_that_comes_while_a_page_is_written_goes_before_the_next_part() -> None:
    precedence = Precedence()
    precedence.expect()
    written: list[int] = []
    begun = asyncio.Event()

    async def write() -> None:
        async for part in precedence.parts(range(2 * PART)):
            written.append(len(part))
            begun.set()
            await asyncio.sleep(0)

    task = asyncio.create_task(write())
    await begun.wait()
    with precedence.first():
        await asyncio.sleep(0.01)
        assert written == [PART]
    await task
    assert written == [PART, PART]
