"""From wanted minutes to pages: the windows that one request each can answer."""

from __future__ import annotations

from collections.abc import Iterator

from backend.core.coverage import MINUTE, Spans, Window


def closed_until(now: int) -> int:
    """The end of the last minute that is closed at `now` (the exchange's time, ms UTC)."""
    return now - now % MINUTE


def whole_minutes(start: int, end: int) -> Window:
    """The minutes that open at or after `start` and at or before `end`, both inclusive."""
    return Window(-(-start // MINUTE) * MINUTE, end - end % MINUTE + MINUTE)


def pages(missing: Spans, page_size: int) -> Iterator[Window]:
    """Cut missing minutes into windows of at most `page_size` minutes, oldest first."""
    step = page_size * MINUTE
    for start, end in missing:
        for cursor in range(start, end, step):
            yield Window(cursor, min(cursor + step, end))
