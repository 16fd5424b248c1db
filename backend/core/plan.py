"""From wanted minutes to pages: the windows that one request each can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backend.core.coverage import MINUTE, Spans, Window, intersect, normalise


def closed_until(now: int) -> int:
    """The end of the last minute that is closed at `now` (the exchange's time, ms UTC)."""
    return now - now % MINUTE


def whole_minutes(start: int, end: int) -> Window:
    """The minutes that open at or after `start` and at or before `end`, both inclusive."""
    return Window(-(-start // MINUTE) * MINUTE, end - end % MINUTE + MINUTE)


def rechecked(missing: Spans, wanted: Window, held: Spans, minutes: int) -> Spans:
    """Let a top-up read the newest `minutes` that are held before it once more: do they still read the same?

    Only where something at the end of `wanted` is missing anyway.
    """
    if not missing or missing[-1].end != wanted.end:
        return missing
    start = missing[-1].start
    return normalise((*missing, *intersect(held, Window(start - minutes * MINUTE, start))))


def pages(missing: Spans, page_size: Callable[[int], int]) -> Iterator[Window]:
    """Cut missing minutes into windows, oldest first; one that opens at `t` has at most `page_size(t)`."""
    for start, end in missing:
        cursor = start
        while cursor < end:
            page = Window(cursor, min(cursor + page_size(cursor) * MINUTE, end))
            yield page
            cursor = page.end
