"""Validators: they show whether an answer about closed history is still right, without reading the history.

A range is closed if every minute of it is held or void, and the exchange was asked beyond it. Its candles can
change in three ways, and each one changes the validator:

- the exchange's word on a minute without data changes: so do the held windows of the ledger;
- a stored candle is replaced: then a revision was recorded before, which is pending until the candle is
  replaced, and while one is pending there is no validator;
- candles that the ledger claims are gone, and come back with a repair, perhaps with other values: whoever
  reads fewer than are claimed records a shortfall, and all validators of the series change.

The facts are read before the candles: shortfalls, then the ledger, then revisions. So an answer may be newer
than its validator, which costs a client one more answer, but never older. Who takes candles away records a
shortfall before the ledger changes and one after it. A reader with the old ledger knows at most the first of
them, so its validator is dead after the second, whatever is stored later.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.coverage import Coverage
from backend.core.interval import ONE_MINUTE
from backend.core.minutes import Minutes
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import MINUTE, Spans, Window, count_minutes
from backend.services.ports import RevisionState


@dataclass(frozen=True, slots=True)
class OpenSelection:
    """A selection on the grid of its interval, and the ledger of its series. `shortfalls` were read before
    the ledger; None where they were not."""

    series: Series
    wanted: Selection
    known: Coverage
    shortfalls: int | None = None


@dataclass(frozen=True, slots=True)
class Validator:
    """Two answers to the same question with equal validators are equal.

    `held` are the minutes in the answer. `changed` is when the newest of them was stored, in ms, if known.
    """

    series: Series
    window: Window
    held: Spans
    revisions: RevisionState
    shortfalls: int

    @property
    def changed(self) -> int | None:
        """Unknown if a minute without data may have been filled later, or after a shortfall."""
        if self.shortfalls or self.held != (self.window,):
            return None
        return max(self.window.end, self.revisions.at)

    def agrees_with(self, minutes: int, last: int) -> bool:
        """Whether the ledger claims exactly this number of minutes, with the last one at `last`."""
        return minutes == count_minutes(self.held) and last < self.window.end


def closed_window(opened: OpenSelection) -> Window | None:
    """The closed range that decides the answer; None if it is not closed, or not simple to find."""
    wanted, known = opened.wanted, opened.known
    if wanted.fill or (wanted.limit is not None and (wanted.newest or wanted.interval is not ONE_MINUTE)):
        return None
    window = wanted.window
    if wanted.limit is not None:
        window = _first_minutes(known.held, window, wanted.limit)
    closed = window.start < window.end <= known.known_until and not known.lacking(window)
    return window if closed else None


def _first_minutes(held: Minutes, window: Window, minutes: int) -> Window:
    """The beginning of `window` that has so many held minutes; all of it if it has fewer."""
    for start, end in held.within(window):
        if (end - start) // MINUTE >= minutes:
            return Window(window.start, start + minutes * MINUTE)
        minutes -= (end - start) // MINUTE
    return window
