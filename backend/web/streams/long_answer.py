"""Reading, sending and waiting while the client is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from tornado.iostream import StreamClosedError

from backend.core.columns import Columns
from backend.services.reading.bars import Bars

Done = TypeVar("Done")


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


async def unless_gone(work: Coroutine[Any, Any, Done], gone: asyncio.Future[None]) -> Done:
    """The result of `work`. If the client is `gone`, the work is cancelled with StreamClosedError."""
    doing = asyncio.ensure_future(work)
    either: set[asyncio.Future[Any]] = {doing, gone}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
    if doing.cancelled():
        raise StreamClosedError
    return doing.result()


async def is_taken(sending: asyncio.Future[Any], gone: asyncio.Future[None], seconds: float) -> bool:
    """Whether the data is sent within `seconds`; StreamClosedError if the client is gone."""
    either: set[asyncio.Future[Any]] = {sending, gone}
    await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if sending.done():
        sending.result()
        return True
    sending.cancel()
    if gone.done():
        raise StreamClosedError
    return False


async def wait_for_any(events: Sequence[asyncio.Event], gone: asyncio.Future[None], seconds: float) -> None:
    """Wait until one of the events is set or the client is gone, for so many seconds at most."""
    coming = {asyncio.ensure_future(event.wait()) for event in events}
    either: set[asyncio.Future[Any]] = {*coming, gone}
    try:
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in coming:
            one.cancel()
