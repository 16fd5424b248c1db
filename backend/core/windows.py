"""Windows of minutes, and spans: sorted windows that neither touch nor overlap.

Windows are half-open `[start, end)`, in ms UTC, on the minute grid; equal sets of minutes are equal spans.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY


class Window(NamedTuple):
    """The minutes that open in `[start, end)`."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // MINUTE


Spans = tuple[Window, ...]


def normalise(windows: Iterable[Window]) -> Spans:
    """Sort windows and merge those that touch or overlap; empty ones vanish."""
    merged: list[Window] = []
    for window in sorted(windows):
        if window.start >= window.end:
            continue
        if merged and window.start <= merged[-1].end:
            if window.end > merged[-1].end:
                merged[-1] = Window(merged[-1].start, window.end)
        else:
            merged.append(window)
    return tuple(merged)


def subtract(spans: Spans, taken: Spans) -> Spans:
    """The minutes of `spans` that are not in `taken`."""
    left: list[Window] = []
    others = list(reversed(taken))
    for start, end in spans:
        cursor = start
        while others and others[-1].end <= cursor:
            others.pop()
        for other in reversed(others):
            if other.start >= end:
                break
            if other.start > cursor:
                left.append(Window(cursor, other.start))
            cursor = max(cursor, other.end)
        if cursor < end:
            left.append(Window(cursor, end))
    return tuple(left)


def intersect(spans: Spans, window: Window) -> Spans:
    """The minutes of `spans` inside `window`."""
    return tuple(
        Window(max(start, window.start), min(end, window.end))
        for start, end in spans
        if max(start, window.start) < min(end, window.end)
    )


def count_minutes(spans: Spans) -> int:
    """How many minutes `spans` hold."""
    return sum(window.minutes for window in spans)
