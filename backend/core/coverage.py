"""The ledger of a series: which minutes are held, which the exchange does not have, and which are missing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from backend.core.minutes import NO_MINUTES, Minutes
from backend.core.windows import DAY, MINUTE, WEEK, Spans, Window, intersect, normalise, subtract

VoidReason = Literal["before_listing", "no_data", "contradictory"]
"""Why a minute is void: it is older than the exchange's first candle, the exchange left it out, or its prices
contradict each other."""


class Void(NamedTuple):
    """A window that the exchange was asked for. It does not have the minutes in it that are not held.

    So a thin market needs one void for a stretch of time, not one for each hole.

    `confirmed` is when the exchange last said so. `ask_again` is when to ask once more (ms UTC): soon while
    the minutes are young, weekly when they are old. Old ledgers that took a listing for certain have None.
    """

    window: Window
    reason: VoidReason
    confirmed: int
    ask_again: int | None


def void_of(window: Window, reason: VoidReason, now: int) -> Void:
    """Minutes that the exchange was found not to have at its time `now`."""
    age = now - window.end
    return Void(window, reason, now, now + min(max(age, MINUTE), WEEK))


def void_before_listing(first_candle: int, now: int) -> Void:
    """All time before an exchange's first candle of a series."""
    return void_of(Window(0, first_candle - first_candle % MINUTE), "before_listing", now)


def void_without_data(window: Window, now: int) -> Void:
    """Minutes that the exchange left out."""
    return void_of(window, "no_data", now)


SINCE_LISTING: tuple[VoidReason, ...] = ("no_data", "contradictory")
"""Why the exchange lacks a minute although it had traded before."""


class Absence(NamedTuple):
    """Minutes that the exchange does not have, and why, whenever it said so."""

    window: Window
    reason: VoidReason


LONG_AGO = 0
"""At this moment no void is due for another question."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The ledger of one series.

    `since` and `until` are the bounds of all requests (`until` is never after the last closed minute of that
    time); None at first. `voids` ascend and do not overlap. The cost of a method grows with its window, not
    with the holes of the series.
    """

    since: int | None = None
    held: Minutes = NO_MINUTES
    voids: tuple[Void, ...] = ()
    until: int | None = None

    def missing(self, wanted: Window, now: int) -> Spans:
        """The minutes of `wanted` that are neither held nor known to be absent, at exchange time `now`."""
        believed = [void.window for void in self.voids if void.ask_again is None or void.ask_again > now]
        return self.held.missing_from(subtract(normalise([wanted]), normalise(believed)))

    def lacking(self, wanted: Window) -> Spans:
        """The minutes of `wanted` that are neither held nor void. Unlike `missing`, this ignores when the
        next question is due: it changes only when the ledger changes. Readers get this.
        """
        return self.missing(wanted, LONG_AGO)

    @property
    def known_until(self) -> int:
        """The end of the last minute that the exchange was asked for."""
        return max(self.until or 0, self.held.end)

    def listed(self, wanted: Window) -> Spans:
        """The minutes of `wanted` that are not before the listing, whatever is known of them."""
        before = (void.window for void in self.voids if void.reason == "before_listing")
        return subtract(normalise([wanted]), normalise(before))

    def absent(self, wanted: Window) -> Iterator[Absence]:
        """The minutes of `wanted` that the exchange does not have since its listing, ascending."""
        last: Absence | None = None
        for void in self.void_windows(wanted):
            if void.reason == "before_listing":
                continue
            if last and last.window.end == void.window.start and last.reason == void.reason:
                last = Absence(Window(last.window.start, void.window.end), last.reason)
                continue
            if last:
                yield last
            last = Absence(void.window, void.reason)
        if last:
            yield last

    def void_windows(self, wanted: Window) -> Iterator[Void]:
        """What is known of each of the minutes of `wanted` that the exchange does not have, ascending."""
        for void in self.voids:
            for part in intersect((void.window,), wanted):
                for window in self.held.gaps(part):
                    yield void._replace(window=window)

    def count_absent(self, wanted: Window) -> int:
        """How many minutes of `wanted` the exchange does not have since its listing."""
        voids = (void.window for void in self.voids if void.reason in SINCE_LISTING)
        parts = (part for window in voids for part in intersect((window,), wanted))
        return sum(part.minutes - self.held.count(part) for part in parts)

    def asked(self, window: Window) -> Coverage:
        """Record that somebody requested the minutes of `window`."""
        since = window.start if self.since is None else min(window.start, self.since)
        until = window.end if self.until is None else max(window.end, self.until)
        return replace(self, since=since, until=until)

    @property
    def expected(self) -> Window:
        """All requested minutes that can exist: from the first candle or later, to the last closed minute."""
        if self.since is None or self.until is None:
            return Window(0, 0)
        start = max(self.since, self.first_candle or 0)
        return Window(start, max(start, self.until))

    def with_held(self, held: Iterable[Window]) -> Coverage:
        """Add minutes that are stored. A held minute is void no longer."""
        added = normalise(held)
        kept = self.held.united(added)
        return replace(self, held=kept, voids=tuple(_with_holes(self.voids, added, kept)))

    def with_voids(self, voids: Iterable[Void]) -> Coverage:
        """Add minutes that the exchange does not have. Held minutes stay held; a newer answer replaces an
        older one."""
        kept = self.voids
        for void in voids:
            if window := self.held.around_gaps(void.window):
                kept = _placed(kept, void._replace(window=window))
        return replace(self, voids=kept)

    def without(self, window: Window) -> Coverage:
        """Forget the minutes of `window`: they are missing where they were held, or found to be absent."""
        return replace(
            self, held=self.held.reduced((window,)), voids=tuple(_forgotten(self.voids, (window,)))
        )

    def holding(self, stored: Spans) -> Coverage:
        """Hold exactly the minutes of `stored`. Those that were held and are not stored are missing."""
        exact = Minutes.of(stored)
        lost = exact.missing_from(tuple(self.held))
        return replace(
            self, held=exact, voids=tuple(_with_holes(_forgotten(self.voids, lost), stored, exact))
        )

    def with_listing(self, first_candle: int, now: int) -> Coverage:
        """Record the exchange's first open time, as of its time `now`. It replaces what was known before."""
        others = tuple(void for void in self.voids if void.reason != "before_listing")
        return replace(self, voids=others).with_voids([void_before_listing(first_candle, now)])

    @property
    def listing(self) -> Void | None:
        """The void before the exchange's first candle. It ends there."""
        return next((void for void in reversed(self.voids) if void.reason == "before_listing"), None)

    @property
    def first_candle(self) -> int | None:
        """The exchange's first open time of this series, where it was asked for; or an older held one."""
        if not (listing := self.listing):
            return None
        return min(listing.window.end, self.held.start) if self.held else listing.window.end


def _placed(voids: tuple[Void, ...], new: Void) -> tuple[Void, ...]:
    """`voids` with a new one. It replaces what it overlaps, and joins its neighbours if the joined void is as
    true."""
    first = bisect_left(voids, new.window.start, key=lambda void: void.window.end)
    last = bisect_left(voids, new.window.end + 1, key=lambda void: void.window.start)
    between = sorted((*_cut(voids[first:last], (new.window,)), new))
    joined: list[Void] = []
    for void in between:
        if joined and (both := _joined(joined[-1], void)):
            joined[-1] = both
        else:
            joined.append(void)
    return (*voids[:first], *joined, *voids[last:])


def _joined(one: Void, two: Void) -> Void | None:
    """Two neighbours as one void with the older date; None if the joined void would be less true.

    A minute is believed to be absent when it was confirmed a minute after its end (see `contiguous.py`): the
    older word must be that young for the later window too, and no minute be asked for again much earlier.
    """
    if one.window.end != two.window.start or one.reason != two.reason or one.reason == "before_listing":
        return None
    if one.ask_again is None or two.ask_again is None or abs(one.ask_again - two.ask_again) > DAY:
        return None
    confirmed = min(one.confirmed, two.confirmed)
    if confirmed < two.window.end + MINUTE:
        return None
    window = Window(one.window.start, two.window.end)
    return Void(window, one.reason, confirmed, min(one.ask_again, two.ask_again))


def _with_holes(voids: Iterable[Void], added: Spans, held: Minutes) -> Iterator[Void]:
    """What is left of voids when minutes are held: nothing where all are; only where `added` reaches."""
    if not added:
        yield from voids
        return
    reach = Window(added[0].start, added[-1].end)
    for void in voids:
        if void.window.end <= reach.start or reach.end <= void.window.start:
            yield void
        elif window := held.around_gaps(void.window):
            yield void if void.reason == "before_listing" else void._replace(window=window)


def _forgotten(voids: Iterable[Void], taken: Spans) -> Iterator[Void]:
    """Voids without the minutes of `taken`. The void before the listing stays."""
    for void in voids:
        if void.reason == "before_listing":
            yield void
        else:
            yield from _cut((void,), taken)


def _cut(voids: Iterable[Void], taken: Spans) -> Iterator[Void]:
    for void in voids:
        for window in subtract((void.window,), taken):
            yield void._replace(window=window)
