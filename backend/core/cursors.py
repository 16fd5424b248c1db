"""How far a listener of several series has read, and the text from which it can continue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from backend.core.interval import Interval
from backend.core.series import Series
from backend.core.windows import MINUTE

_TEXT = re.compile(r"([0-9a-f]{8})\.(\d{1,9})\.(\d{1,9}(?:-\d{1,9})*)", re.ASCII)
LONGEST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Cursors:
    """For each series the end of the last sent candle, ms."""

    ends: tuple[int, ...]

    def moved(self, place: int, end: int) -> Cursors:
        """The same after the series at `place` was sent up to `end`."""
        return Cursors((*self.ends[:place], end, *self.ends[place + 1 :]))

    def text(self, question: str) -> str:
        """`question` as `question_of` says it; then minutes: the smallest, and what each is beyond it."""
        base = min(self.ends) // MINUTE
        return f"{question}.{base}.{'-'.join(str(end // MINUTE - base) for end in self.ends)}"


def question_of(series: Sequence[Series], interval: Interval) -> str:
    """Identifies a list of series and its interval: eight hexadecimal digits."""
    return f"{crc32(' '.join((interval.name, *(one.name for one in series))).encode()):08x}"


def parse_cursors(text: str, question: str, series: int) -> Cursors:
    """The cursors in `text`. ValueError if it is not valid, or belongs to another list of series."""
    match = _TEXT.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if match is None:
        raise ValueError("this is not an event id of this stream")
    asked, base, beyond = match.groups()
    ends = tuple((int(base) + int(minutes)) * MINUTE for minutes in beyond.split("-"))
    if asked != question or len(ends) != series:
        raise ValueError("this id belongs to a stream of other series or of another interval")
    return Cursors(ends)
