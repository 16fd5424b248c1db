"""Ending tasks that belong to somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Collection


async def end(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
    """Give `tasks` some seconds to end by themselves, then cancel those that have not, and await them."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
