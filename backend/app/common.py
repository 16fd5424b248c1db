"""Common arguments of all builders, and the end of started tasks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from backend.clock import Clock
from backend.loops import Loops
from backend.precedence import Precedence
from backend.services.running.fleet import Role
from backend.settings import Settings
from backend.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """`name` is the name of this process among all that share the database."""

    settings: Settings
    role: Role
    name: str
    clock: Clock
    metrics: Metrics
    loops: Loops
    precedence: Precedence


async def cancel(task: asyncio.Task[None]) -> None:
    """End a task, and wait until it has ended."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
