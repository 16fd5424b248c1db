"""Instants and windows as text: int milliseconds UTC inside, ISO 8601 or digits at the edges."""

from __future__ import annotations

from datetime import UTC, datetime

Window = tuple[int, int]
"""Half-open span of time, [start, end), in ms UTC."""

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

BLOCK = 1000 * MINUTE
"""Span of a block of minutes, ms; blocks are aligned to the epoch."""

MICROSECONDS = 10**14
"""Stamps from here on are µs: as ms they would lie in the year 5138."""


def parse_instant(value: str | int) -> int:
    """Return ms UTC for ms as a number or digits, or for an ISO 8601 text (UTC when it names no zone)."""
    if isinstance(value, int):
        return value
    if value.isdigit():
        return int(value)
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def parse_window(text: str) -> Window:
    """Return the window of `START/END`; raise ValueError unless START is before END."""
    start_text, slash, end_text = text.partition("/")
    if not slash:
        raise ValueError(f"a window is START/END, got {text!r}")
    return checked_window(parse_instant(start_text), parse_instant(end_text))


def checked_window(start: int, end: int) -> Window:
    """Return (start, end); raise ValueError unless start is before end."""
    if start >= end:
        raise ValueError(f"a window starts before its end, got {start}/{end}")
    return start, end
