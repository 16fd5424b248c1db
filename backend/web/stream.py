"""Batches for as long as somebody listens."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from tornado.iostream import StreamClosedError

from backend.core.columns import Columns
from backend.services.bars import Bars


async def while_connected(batches: Bars, gone: asyncio.Future[None]) -> Bars:
    """The batches, until `gone` is done: then the reading stops at once, in the middle of a query."""
    async with aclosing(batches):
        while (batch := await _next(batches, gone)) is not None:
            yield batch


async def _next(batches: Bars, gone: asyncio.Future[None]) -> Columns | None:
    coming = asyncio.ensure_future(anext(batches, None))
    either: set[asyncio.Future[Any]] = {coming, gone}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})
    if gone.done():
        raise StreamClosedError
    return coming.result()
