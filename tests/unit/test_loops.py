"""Tasks that must go on: what their steps meet is logged once, counted and told, and ends nothing."""

from __future__ import annotations

import ast
import asyncio
import logging
from pathlib import Path

import pytest

import backend
from backend.clock import iso
from backend.errors import DatabaseUnavailable
from backend.loops import LOGGED_AGAIN_AFTER, LONGEST_PAUSE, Loops
from backend.telemetry.metrics import Metrics
from tests.fakes import START, FakeClock
from tests.figures import counted

ROOT = Path(backend.__file__).parents[1]

ENDLESS = {
    "backend/loops.py:run": "the helper itself",
    "backend/net/private/account_connection.py:_mind": "ends with its connection, which is made again",
    "backend/net/rest/account_budget.py:room_for": "ends with its turn",
    "backend/net/sockets/socket_session.py:_tell": "ends with its connection, which is made again",
    "backend/net/sockets/socket_session.py:_mind": "ends with its connection, which is made again",
    "backend/services/jobs/submission.py:_wait": "answers a request",
    "backend/services/jobs/submission.py:watch": "answers a request",
    "backend/services/following/keeper.py:_outcome": "ends with a visit",
    "backend/services/history/extractions.py:wait": "answers a request",
    "backend/services/history/extraction_run.py:_keep": "ends with an extraction",
    "backend/services/orders/cancelling.py:_drained": "ends when each entry has its answer or is overdue",
    "backend/services/history/window_reading.py:_walk": "ends with what the venue tells",
    "backend/services/syncing/ledger.py:_acquire": "ends after its patience",
    "backend/store/market/prefetch.py:_while_there_are_some": "ends with what is read",
    "backend/store/market/jobs.py:add": "ends with one document",
}
"""Every `while True` of the service, and why it may be one."""


class Story:
    """A loop whose steps take a second and meet what `errors` has for them, None for nothing."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.clock, self.metrics = FakeClock(), Metrics()
        self.loops = Loops(self.clock, self.metrics)
        self.errors = list(errors)
        self.begun: list[float] = []

    async def step(self) -> None:
        self.begun.append(self.clock.monotonic())
        if self.errors and (error := self.errors.pop(0)):
            raise error
        await self.clock.sleep(1)

    async def run_for(self, seconds: float) -> None:
        task = self.loops.start("tests", self.step)
        await self.clock.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.mark.parametrize(
    "error", [RuntimeError("no"), TimeoutError(), asyncio.CancelledError(), DatabaseUnavailable("away")]
)
async def test_after_a_step_that_failed_the_next_comes_a_little_later(error: BaseException) -> None:
    story = Story(None, error)
    await story.run_for(3.2)
    assert story.begun == [0, 1, 1.5, 2.5]


async def test_pauses_grow_to_a_limit_and_begin_anew_after_a_success() -> None:
    story = Story(*[RuntimeError("no")] * 6, None, RuntimeError("no"))
    await story.run_for(25)
    pauses = [later - earlier for earlier, later in zip(story.begun, story.begun[1:], strict=False)]
    assert pauses[:9] == [0.5, 1, 2, 4, LONGEST_PAUSE, LONGEST_PAUSE, 1, 0.5, 1]


async def test_a_database_that_is_away_is_asked_again_soon() -> None:
    story = Story(*[DatabaseUnavailable("away")] * 5)
    await story.run_for(3)
    assert story.begun == [0, 0.5, 1, 1.5, 2, 2.5]


async def test_failures_are_counted_from_zero_on() -> None:
    story = Story()
    await story.run_for(1)
    assert counted(story.metrics).value("step_failures_total", task="tests") == 0
    story.errors = [RuntimeError("no")] * 3
    await story.run_for(9)
    assert counted(story.metrics).value("step_failures_total", task="tests") == 3


async def test_what_fails_is_told_until_it_works_again_or_ends() -> None:
    story = Story(None, RuntimeError("no"), RuntimeError("no"), None)
    task = story.loops.start("tests", story.step)
    await story.clock.sleep(0.9)
    assert story.loops.troubles() == []
    await story.clock.sleep(1)
    assert story.loops.troubles() == [f"tests: fails since {iso(START + 1000)}: see the log for the reason"]
    await story.clock.sleep(3)
    assert story.loops.troubles() == []
    story.errors = [RuntimeError("no")] * 9
    await story.clock.sleep(2)
    assert len(story.loops.troubles()) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert story.loops.troubles() == []


async def test_an_error_is_logged_once_for_a_while_however_often_it_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    story = Story(*[RuntimeError(str(number)) for number in range(1000)])
    await story.run_for(LOGGED_AGAIN_AFTER - 5)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    await story.run_for(20)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 2


def endless_loops(path: Path) -> set[str]:
    """The functions of a file that have a `while True`."""
    return {
        f"{path.relative_to(ROOT)}:{function.name}"
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.While) and ast.unparse(node.test) in ("True", "1")
    }


def test_no_loop_without_an_end_is_outside_the_helper() -> None:
    found = {name for path in (ROOT / "backend").rglob("*.py") for name in endless_loops(path)}
    assert found == ENDLESS.keys()
