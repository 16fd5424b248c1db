"""Held, missing and void minutes of a series, counted for each bucket. Maps draw these numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.core.columns import Integers
from backend.core.coverage import Coverage, VoidReason
from backend.core.interval import Interval
from backend.core.windows import MINUTE, Window, intersect

REASONS: tuple[VoidReason, ...] = ("before_listing", "no_data", "contradictory")
"""Why a minute is void."""

MISSING, HELD = 0, 1
FIRST_REASON = 2
LAST = FIRST_REASON + len(REASONS)
"""The state of a minute: missing, held, or void for one of REASONS, counted from FIRST_REASON on."""


class CoverageMap(NamedTuple):
    """For each bucket its open time, and the number of its minutes that are held, missing, and void for each
    of REASONS. Only requested minutes count."""

    open_times: Integers
    held: Integers
    missing: Integers
    void: tuple[Integers, ...]


def coverage_map(known: Coverage, interval: Interval, window: Window) -> CoverageMap:
    """The buckets of `interval` that begin with the minutes of `window`, of which something was asked for."""
    asked = [*intersect((window,), asked_for(known))]
    if not asked:
        nothing = np.zeros(0, np.int64)
        return CoverageMap(nothing, nothing, nothing, (nothing,) * len(REASONS))
    start, end = asked[0]
    states = _states(known, Window(start, end))
    number = int(interval.between(*_bounds(interval, start, end))[0])
    opens = interval.later(np.full(number, interval.start(start)), np.arange(number))
    edges = np.append(np.maximum((opens - start) // MINUTE, 0), len(states))
    missing, *void = (_counted(states, state, edges) for state in (MISSING, *range(FIRST_REASON, LAST)))
    return CoverageMap(opens, np.diff(edges) - missing - sum(void), missing, tuple(void))


def asked_for(known: Coverage) -> Window:
    """All minutes that anybody asked for, those before the listing included."""
    return Window(known.since or 0, known.until or 0) if known.since is not None else Window(0, 0)


def letters(counts: CoverageMap) -> str:
    """A letter for each bucket: `f` all held, `v` the rest is void, `p` a part is missing, `m` all of it,
    `-` it is older than the listing."""
    void = sum(counts.void[1:], np.zeros_like(counts.held))
    kinds = np.select(
        [counts.missing > 0, void > 0, counts.held > 0],
        [np.where(counts.held + void > 0, "p", "m"), "v", "f"],
        "-",
    )
    return "".join(kinds.tolist())


def _bounds(interval: Interval, start: int, end: int) -> tuple[Integers, Integers]:
    return np.array([interval.start(start)]), np.array([interval.ceiling(end)])


def _states(known: Coverage, window: Window) -> NDArray[np.uint8]:
    """The state of each minute of `window`."""
    states = np.zeros(window.minutes, np.uint8)
    for void in known.voids:
        for part in intersect((void.window,), window):
            first, last = ((edge - window.start) // MINUTE for edge in part)
            states[first:last] = FIRST_REASON + REASONS.index(void.reason)
    states[known.held.places(window)] = HELD
    return states


def _counted(states: NDArray[np.uint8], state: int, edges: Integers) -> Integers:
    """How many minutes have a state between each two edges. Few have another one than HELD."""
    return np.diff(np.searchsorted(np.flatnonzero(states == state), edges))
