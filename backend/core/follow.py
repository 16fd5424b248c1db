"""A follow: the service keeps a series complete to the last closed minute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from backend.core.contiguous import known_to
from backend.core.coverage import Coverage
from backend.core.job import Failure
from backend.core.plan import closed_until
from backend.core.rendezvous import chosen, digest
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE, Window, count_minutes

State = Literal["waiting", "live", "behind", "failing", "ended"]
Source = Literal["socket", "rest"]

APART_MS = 100
"""Distance between the visits of two follows while there are few of them."""

LONGEST_SPREAD_MS = 45_000
LONGEST_UNCONFIRMED_MS = 10 * MINUTE
BEHIND_AFTER_MS = 3 * MINUTE
SILENT_MS = 24 * HOUR
"""A symbol has ended if it is no longer traded and has had no candle for this long."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before a follow that failed is tried again: at first, and at most."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Moments are in ms UTC by the service's clock. `since` is the first open time that is wanted, None for
    where the series was first asked for.

    `checked` is the last visit that went well, `failures` are those that did not since then, the last one of
    which ended with `failure`. `new_candles` and `healed` are counted from the beginning; healed minutes came
    although later ones were held already. `source` is where its newest candles come from,
    and `reconnects` counts how often a socket of theirs was lost. `ended` says that its exchange has no new
    candles of it and does not list it as traded.
    """

    series: Series
    since: int | None
    created: int
    checked: int | None = None
    failures: int = 0
    failure: Failure | None = None
    new_candles: int = 0
    healed: int = 0
    source: Source = "rest"
    reconnects: int = 0
    ended: bool = False


class Visit(NamedTuple):
    """The result of a visit. After a `whole` visit the series has all closed minutes.

    `ended`: no more candles will come.
    """

    at: int
    new_candles: int = 0
    healed: int = 0
    failure: Failure | None = None
    whole: bool = True
    ended: bool = False


class Standing(NamedTuple):
    """How a follow stands. `last_minute` is the newest open time held; `lag` is in ms, None before the first
    candle and after the last: the time that passed since the end of what is known."""

    follow: Follow
    state: State
    last_minute: int | None
    lag: int | None


class Reach(NamedTuple):
    """The end of the last held minute, and the end of the known minutes after it (ms UTC)."""

    held_to: int
    known_to: int


def reach_of(known: Coverage) -> Reach | None:
    """How far a series reaches, None where nothing is held."""
    return Reach(known.held.end, known_to(known, known.held.end)) if known.held else None


def standing(follow: Follow, reach: Reach | None, now: int) -> Standing:
    """From the follow and its series."""
    if reach is None:
        return Standing(follow, "failing" if follow.failures else "waiting", None, None)
    end = reach.held_to
    if follow.ended:
        return Standing(follow, "ended", end - MINUTE, None)
    lag = max(0, now - reach.known_to)
    state: State = "behind" if lag > BEHIND_AFTER_MS else "live"
    return Standing(follow, "failing" if follow.failures else state, end - MINUTE, lag)


def is_silent(known: Coverage, now: int) -> bool:
    """Whether nothing is held of the last day, at exchange time `now`."""
    return bool(known.held) and now - known.held.end >= SILENT_MS


def beginnings(follow: Follow, known: Coverage, now: int) -> list[int | None]:
    """Where the syncs of a visit begin, one after the other; None for where the series was first asked for.

    Where over an hour is missing at exchange time `now`, the newest hour comes first, so that today's minutes
    need not wait for years of others. Not where nobody said yet where the series begins: a visit that is cut
    off would leave the newest hour as that.
    """
    begin = known.since if follow.since is None else follow.since
    closed = closed_until(now)
    if begin is None or count_minutes(known.missing(Window(begin, closed), now)) * MINUTE <= HOUR:
        return [follow.since]
    return [closed - HOUR, follow.since]


def healed(before: Coverage, after: Coverage) -> int:
    """How many minutes between the first and the last that were held came later than their successors."""
    if not before.held:
        return 0
    within = Window(before.held.start, before.held.end)
    return after.held.count(within) - before.held.count()


def keeper_of(series: Series, keepers: Iterable[str]) -> str | None:
    """The keeper of a series, one of `keepers`. If a keeper comes or goes, only its own series move."""
    return chosen(series.name, keepers)


def until_next_visit(series: Series, now: int, settle: int, follows: int) -> int:
    """How many ms after exchange time `now` to look for the next closed minute.

    The visits of many `follows` are spread over the minute, each series at a moment of its own; the first may
    come `settle` ms after the minute's end.
    """
    spread = max(1, min(follows * APART_MS, LONGEST_SPREAD_MS))
    offset = settle + APART_MS + digest(series.name) % spread
    return MINUTE - (now - offset) % MINUTE


def confirmed_for(series: Series) -> int:
    """How long (ms) pushed candles may stay without being read once more from the API."""
    return LONGEST_UNCONFIRMED_MS - digest(series.name) % (LONGEST_UNCONFIRMED_MS // 2)


def pause_after(failures: int, retry_after: float | None = None) -> float:
    """Seconds to wait after this number of failures in a row. The time doubles with each failure."""
    doubled = FIRST_PAUSE * 2.0 ** min(failures - 1, 10)
    return max(min(doubled, LONGEST_PAUSE), retry_after or 0.0)
