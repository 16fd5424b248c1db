"""What is known of a series: which minutes are held, which the exchange does not have, which are missing.

Windows are half-open `[start, end)`, in ms UTC, on the minute grid. `Spans` are sorted windows that neither
touch nor overlap, so that equal sets of minutes are equal tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

MINUTE = 60_000
HOUR = 60 * MINUTE
WEEK = 7 * 24 * HOUR


class Window(NamedTuple):
    """The minutes that open in `[start, end)`."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // MINUTE


Spans = tuple[Window, ...]
VoidReason = Literal["before_listing", "no_data", "contradictory"]
"""Why a minute is void: it is older than the exchange's first candle, it was left out, or what came of it
contradicted itself."""


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


class Void(NamedTuple):
    """Minutes that the exchange was asked for and does not have.

    `confirmed` is when it last said so; `ask_again` is when to ask once more (ms UTC), soon while the minutes
    are young and weekly when they are old. It is None in ledgers of old that took a listing for certain.
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


@dataclass(frozen=True, slots=True)
class Coverage:
    """The ledger of one series.

    `since` and `until` bound what anybody ever asked for (`until` not beyond what was closed then); None at
    first.
    """

    since: int | None = None
    held: Spans = ()
    voids: tuple[Void, ...] = ()
    until: int | None = None

    def missing(self, wanted: Window, now: int) -> Spans:
        """The minutes of `wanted` that are neither held nor known to be absent, at exchange time `now`."""
        believed = [void.window for void in self.voids if void.ask_again is None or void.ask_again > now]
        return subtract(subtract(normalise([wanted]), self.held), normalise(believed))

    def listed(self, wanted: Window) -> Spans:
        """The minutes of `wanted` that are not before the listing, whatever is known of them."""
        before = (void.window for void in self.voids if void.reason == "before_listing")
        return subtract(normalise([wanted]), normalise(before))

    def absent(self, wanted: Window) -> tuple[Absence, ...]:
        """The minutes of `wanted` that the exchange does not have since its listing, in few windows."""
        return tuple(
            sorted(
                Absence(window, reason)
                for reason in SINCE_LISTING
                for window in intersect(
                    normalise(void.window for void in self.voids if void.reason == reason), wanted
                )
            )
        )

    def asked(self, window: Window) -> Coverage:
        """Remember that somebody wants the minutes of `window`."""
        since = window.start if self.since is None else min(window.start, self.since)
        until = window.end if self.until is None else max(window.end, self.until)
        return replace(self, since=since, until=until)

    @property
    def expected(self) -> Window:
        """All that was asked for and can exist: from the first candle or later, to the last closed minute."""
        if self.since is None or self.until is None:
            return Window(0, 0)
        start = max(self.since, self.first_candle or 0)
        return Window(start, max(start, self.until))

    def with_held(self, held: Iterable[Window]) -> Coverage:
        """Add minutes that are stored. A held minute is void no longer."""
        added = normalise(held)
        return replace(
            self,
            held=normalise((*self.held, *added)),
            voids=tuple(_without(self.voids, added)) if added else self.voids,
        )

    def with_voids(self, voids: Iterable[Void]) -> Coverage:
        """Add minutes that the exchange does not have; what is held stays held, newer word replaces older."""
        kept = self.voids
        for void in voids:
            rest = subtract((void.window,), self.held)
            kept = (*_without(kept, rest), *(void._replace(window=window) for window in rest))
        return replace(self, voids=tuple(sorted(kept, key=lambda void: void.window)))

    def without(self, window: Window) -> Coverage:
        """Forget the minutes of `window`: they are missing where they were held, or found to be absent."""
        listing = [void for void in self.voids if void.reason == "before_listing"]
        data = [void for void in self.voids if void.reason in SINCE_LISTING]
        return replace(
            self,
            held=subtract(self.held, (window,)),
            voids=tuple(sorted([*listing, *_without(data, (window,))], key=lambda void: void.window)),
        )

    def with_listing(self, first_candle: int, now: int) -> Coverage:
        """Learn the exchange's first open time at its time `now`, whatever was believed of it before."""
        others = tuple(void for void in self.voids if void.reason != "before_listing")
        return replace(self, voids=others).with_voids([void_before_listing(first_candle, now)])

    @property
    def listing(self) -> Void | None:
        """What is known of the time before the exchange's first candle; it ends there."""
        return next((void for void in reversed(self.voids) if void.reason == "before_listing"), None)

    @property
    def first_candle(self) -> int | None:
        """The exchange's first open time of this series, where it was asked for."""
        return next((void.window.end for void in self.voids if void.reason == "before_listing"), None)


def _without(voids: Iterable[Void], taken: Spans) -> Iterator[Void]:
    for void in voids:
        for window in subtract((void.window,), taken):
            yield void._replace(window=window)
