"""Time: integer milliseconds UTC inside; ISO-8601 text only where people read or write it."""

from __future__ import annotations

import asyncio
import re
import reprlib
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999, the last time in ISO-8601."""

_SECONDS_BELOW = 100_000_000_000
_MILLISECOND = timedelta(milliseconds=1)
_OFFSET_AFTER_SPACE = re.compile(r"(\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:?\d\d)$")


class Clock(Protocol):
    """The clock of the service. It is a parameter, so that tests can control it."""

    def now(self) -> int:
        """Unix time in ms by this machine, which may be wrong."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never jumps."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def wait_up_to(seconds: float, event: asyncio.Event) -> None:
    """Wait until the event is set, or `seconds` are over.

    A task that is cancelled in the very moment of the event is cancelled: `asyncio.wait_for` of Python 3.11
    forgets that, and the task goes on for ever. https://github.com/python/cpython/issues/86296
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def iso(moment: int) -> str:
    """Write Unix ms as ISO-8601: 1748736000000 -> "2025-06-01T00:00:00+00:00"."""
    return (EPOCH + moment * _MILLISECOND).isoformat()


def parse_time(text: str) -> int:
    """Read Unix ms or ISO-8601 (no offset means UTC) into ms; ValueError says what is wrong.

    A "+00:00" whose plus sign a URL turned into a space is understood. Small integers are refused,
    because they are seconds by mistake and would silently mean January 1970; 0 means "from the beginning".
    """
    stripped = text.strip()
    if re.fullmatch(r"[+-]?\d{1,20}", stripped, re.ASCII):
        return _checked_ms(int(stripped))
    try:
        moment = datetime.fromisoformat(_OFFSET_AFTER_SPACE.sub(r"\1+\2", stripped))
    except ValueError as error:
        raise ValueError(f"{reprlib.repr(text)} is not a time: use Unix milliseconds or ISO-8601") from error
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{reprlib.repr(text)} is out of range: use a time from 1970 to 9999") from error
    return _checked_range((aware - EPOCH) // _MILLISECOND)


def _checked_ms(moment: int) -> int:
    if 0 < abs(moment) < _SECONDS_BELOW:
        raise ValueError(f"{moment} looks like seconds: use milliseconds or ISO-8601")
    return _checked_range(moment)


def _checked_range(moment: int) -> int:
    if not 0 <= moment <= LATEST:
        raise ValueError(f"{moment} is out of range: use a time from 1970 to 9999")
    return moment
