"""How far a series is known without a gap: up to there closed candles can be told in order, each once."""

from __future__ import annotations

from backend.core.coverage import MINUTE, Coverage, Spans, Void, Window, normalise, subtract

BELIEVED_AFTER = MINUTE
"""A minute without data is believed when the exchange was asked so long after its end (ms): before, it may
be late."""


def known_to(known: Coverage, start: int) -> int:
    """The end of the minutes from `start` on that are all held, or known not to exist.

    `start` itself where the minute that opens there is neither.
    """
    voids = (void.window for void in known.voids if _is_believed(void))
    for window in normalise((*known.held, *voids)):
        if window.start <= start < window.end:
            return min(window.end, _limit(known))
    return start


def lacking(known: Coverage, window: Window) -> Spans:
    """The minutes of `window` that are neither held nor known not to exist."""
    limit = _limit(known)
    voids = (void.window for void in known.voids if _is_believed(void))
    believed = (Window(start, min(end, limit)) for start, end in voids)
    return subtract(normalise([window]), normalise((*known.held, *believed)))


def live_from(known: Coverage, now: int) -> int:
    """Where the candles begin that are new from now on (ms): after the last one held."""
    return known.held[-1].end if known.held else now - now % MINUTE


def _is_believed(void: Void) -> bool:
    return void.reason == "before_listing" or void.confirmed >= void.window.end + BELIEVED_AFTER


def _limit(known: Coverage) -> int:
    last = known.held[-1].end if known.held else 0
    return max(last, known.until or 0)
