"""From wanted minutes to questions: pages, the windows that one request each can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from backend.core.minutes import Minutes
from backend.core.windows import MINUTE, Spans, Window, normalise

FEW = 3
"""Up to this number of holes in a page are asked for one by one; more are asked for together (thin
markets)."""


class Question(NamedTuple):
    """A page to ask for, and those of its minutes that the question is about.

    `confirms`: another answer already lacked these minutes, and the page begins and ends with held minutes.
    """

    window: Window
    wanted: Spans
    confirms: bool = False


def closed_until(now: int) -> int:
    """The end of the last minute that is closed at `now` (the exchange's time, ms UTC)."""
    return now - now % MINUTE


def whole_minutes(start: int, end: int) -> Window:
    """The minutes that open at or after `start` and at or before `end`, both inclusive."""
    return Window(-(-start // MINUTE) * MINUTE, end - end % MINUTE + MINUTE)


def rechecked(missing: Spans, wanted: Window, held: Minutes, minutes: int) -> Spans:
    """Add the newest held `minutes` to a top-up, to see whether the exchange has changed them.

    Only if minutes at the end of `wanted` are missing anyway.
    """
    if not missing or missing[-1].end != wanted.end:
        return missing
    start = missing[-1].start
    return normalise((*missing, *held.within(Window(start - minutes * MINUTE, start))))


def pages(missing: Spans, page_size: Callable[[int], int]) -> Iterator[Window]:
    """Cut missing minutes into windows, oldest first; one that opens at `t` has at most `page_size(t)`."""
    for start, end in missing:
        cursor = start
        while cursor < end:
            page = Window(cursor, min(cursor + page_size(cursor) * MINUTE, end))
            yield page
            cursor = page.end


def questions(missing: Spans, page_size: Callable[[int], int]) -> Iterator[Question]:
    """Cut missing minutes into questions, oldest first: one for many holes that fit into a page together."""
    at = 0
    while at < len(missing):
        end = missing[at].start + page_size(missing[at].start) * MINUTE
        together = at
        while together < len(missing) and missing[together].end <= end:
            together += 1
        if together - at > FEW:
            yield Question(Window(missing[at].start, missing[together - 1].end), missing[at:together])
            at = together
        else:
            yield from (Question(page, (page,)) for page in pages(missing[at : at + 1], page_size))
            at += 1


def confirming(unproven: Spans, held: Minutes, page_size: Callable[[int], int]) -> Iterator[Question]:
    """The second question for minutes that a first answer lacked.

    Holes between held minutes are asked for together. Each page has a held minute at both ends, so the rows
    of the answer show whether it reaches over a hole. A hole without held neighbours is asked for exactly.
    """
    if not unproven:
        return
    around = Window(unproven[0].start - MINUTE, unproven[-1].end + MINUTE)
    unheld = held.missing_from((around,))
    places = {window: number for number, window in enumerate(unheld)}
    group: list[Window] = []
    for window in unproven:
        inner = window in places and around.start < window.start and window.end < around.end
        joins = group and inner and places[window] == places[group[-1]] + 1
        start = (group[0] if joins else window).start - MINUTE
        fits = window.end + MINUTE - start <= page_size(start) * MINUTE
        if group and not (joins and fits):
            yield _around(group)
            group = []
        if inner and window.minutes + 2 <= page_size(window.start - MINUTE):
            group.append(window)
        else:
            yield from (Question(page, (page,)) for page in pages((window,), page_size))
    if group:
        yield _around(group)


def _around(group: list[Window]) -> Question:
    return Question(Window(group[0].start - MINUTE, group[-1].end + MINUTE), tuple(group), confirms=True)
