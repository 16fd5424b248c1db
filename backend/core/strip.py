"""A series as one letter for each week. Overviews show years this way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import groupby
from typing import NamedTuple

from backend.core.coverage import Coverage
from backend.core.coverage_map import asked_for, coverage_map, letters
from backend.core.interval import INTERVALS
from backend.core.minutes import FULL, LONG
from backend.core.windows import WEEK, Window

WEEKLY = INTERVALS["1w"]


class Strip(NamedTuple):
    """`start` is where the first week opens (ms UTC), None where nobody asked for a minute. The letters are
    those of `coverage_map.letters`."""

    start: int | None
    weeks: str


def strip_of(known: Coverage) -> Strip:
    """All weeks with requested minutes. Only weeks that may have minutes of several kinds are counted minute
    by minute. The listing and whole blocks of minutes decide the others."""
    asked = asked_for(known)
    if not asked.minutes:
        return Strip(None, "")
    start = WEEKLY.start(asked.start)
    weeks = [
        Window(max(one, asked.start), min(one + WEEK, asked.end)) for one in range(start, asked.end, WEEK)
    ]
    full = {number for number, bits in known.held.blocks.items() if bits == FULL}
    told = [_letter(known, full, week) for week in weeks]
    return Strip(start, "".join(_joined(known, weeks, told)))


def _letter(known: Coverage, full: Set[int], week: Window) -> str:
    """The letter of a week, empty where its minutes have to be counted."""
    if week.start // LONG in full and (week.end - 1) // LONG in full:
        return "f"
    listing = known.first_candle
    if listing is not None and week.end <= listing:
        return "-"
    return "f" if known.held.count(week) == week.minutes else ""


def _joined(known: Coverage, weeks: Sequence[Window], told: Sequence[str]) -> Iterator[str]:
    """The letters, those of weeks side by side that have none yet counted together."""
    place = 0
    for letter, same in groupby(told):
        first, place = place, place + len(list(same))
        window = Window(weeks[first].start, weeks[place - 1].end)
        yield letter * (place - first) or letters(coverage_map(known, WEEKLY, window))
