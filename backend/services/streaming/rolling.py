"""Streams of candles turned into streams of longer ones, in the steps of `core/rollup.py`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from backend.core.columns import Columns, joined
from backend.core.interval import Interval
from backend.core.rollup import before_last_bucket, first_bucket, merged

Bars = AsyncGenerator[Columns, None]

WORTH_SENDING = 1_000
"""Smallest batch of longer candles."""


async def rolled(shorter: Bars, interval: Interval) -> Bars:
    """One step. The last bucket of a batch waits for the next batch, where it may go on."""
    rest: list[Columns] = []
    async with aclosing(shorter):
        async for batch in shorter:
            rows = joined([*rest, batch])
            whole = before_last_bucket(rows, interval)
            if whole:
                yield merged(rows[:whole], interval)
            rest = [rows[whole:]]
    if rest:
        yield merged(rest[0], interval)


async def rolled_back(shorter: Bars, interval: Interval) -> Bars:
    """One step. The first bucket of a batch waits for the next batch on the way back, where it may have
    begun."""
    rest: list[Columns] = []
    async with aclosing(shorter):
        async for batch in shorter:
            rows = joined([batch, *rest])
            part = first_bucket(rows, interval)
            if part < len(rows):
                yield merged(rows[part:], interval)
            rest = [rows[:part]]
    if rest:
        yield merged(rest[0], interval)


async def gathered(bars: Bars, *, backwards: bool = False) -> Bars:
    """Make fewer and larger batches of small ones: each costs its readers as much as a thousand candles."""
    parts: list[Columns] = []
    async with aclosing(bars):
        async for batch in bars:
            parts.append(batch)
            if sum(map(len, parts)) >= WORTH_SENDING:
                yield joined(parts[::-1] if backwards else parts)
                parts = []
    if parts:
        yield joined(parts[::-1] if backwards else parts)
