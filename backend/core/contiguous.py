"""How far a series is known without a gap. Up to there a stream can send closed candles in order, each
once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from backend.core.coverage import Coverage, Void
from backend.core.windows import MINUTE, Spans, Window, normalise, subtract

BELIEVED_AFTER = MINUTE
"""A minute without data is certain if the exchange was asked this long after its end (ms). Earlier, the data
may be late."""


def known_to(known: Coverage, start: int) -> int:
    """The end of the unbroken run of held or void minutes that begins at `start`.

    `start` itself if the minute that opens there is neither.
    """
    voids = [void.window for void in known.voids if _is_believed(void)]
    reached, further = start, _further(known, voids, start)
    while further > reached:
        reached, further = further, _further(known, voids, further)
    return min(reached, max(start, _limit(known)))


def _further(known: Coverage, voids: Sequence[Window], moment: int) -> int:
    """The end of the held minutes from `moment` on, or of the void that follows them."""
    end = known.held.run_end(moment)
    place = bisect_right(voids, end, key=lambda void: void.end)
    return voids[place].end if place < len(voids) and voids[place].start <= end else end


def lacking(known: Coverage, window: Window) -> Spans:
    """The minutes of `window` that are neither held nor void."""
    limit = _limit(known)
    voids = (void.window for void in known.voids if _is_believed(void))
    believed = (Window(start, min(end, limit)) for start, end in voids)
    return known.held.missing_from(subtract(normalise([window]), normalise(believed)))


def live_from(known: Coverage, now: int) -> int:
    """The open time (ms) of the next new candle: after the last held one."""
    return known.held.end if known.held else now - now % MINUTE


def _is_believed(void: Void) -> bool:
    return void.reason == "before_listing" or void.confirmed >= void.window.end + BELIEVED_AFTER


def _limit(known: Coverage) -> int:
    last = known.held.end if known.held else 0
    return max(last, known.until or 0)
