"""Sets of minutes as bits, in blocks of thirty days: their size grows with years, not with holes.

A market in which every other minute has no trade has a million holes in four years: as windows they take
100 MB and a second for each change, as bits 250 kB, of which a change touches 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import overload

import numpy as np
from numpy.typing import NDArray

from backend.core.windows import MINUTE, Spans, Window, subtract

BLOCK = 30 * 24 * 60
"""Minutes of a block. Block number n begins n times so many minutes after 1970."""

FULL = (1 << BLOCK) - 1
LONG = BLOCK * MINUTE
ONE_BY_ONE = 64
"""Up to this number of windows are looked up one by one. For more, the whole stretch is read."""


class Minutes(Sequence[Window]):
    """An immutable set of minutes. As a sequence it is its windows, ascending, none touching another.

    `blocks` are its bits by number of the block: bit 0 is the block's first minute; none is empty.
    """

    __slots__ = ("_spans", "blocks")

    def __init__(self, blocks: Mapping[int, int] = MappingProxyType({})) -> None:
        self.blocks = blocks
        self._spans: Spans | None = None

    @classmethod
    def of(cls, windows: Iterable[Window]) -> Minutes:
        """The set of all minutes of `windows`."""
        return cls().united(windows)

    def united(self, windows: Iterable[Window]) -> Minutes:
        """With all minutes of `windows` besides."""
        blocks = dict(self.blocks)
        for number, bits in chain.from_iterable(map(_masks, windows)):
            blocks[number] = blocks.get(number, 0) | bits
        return Minutes(blocks)

    def reduced(self, windows: Iterable[Window]) -> Minutes:
        """Without the minutes of `windows`."""
        blocks = dict(self.blocks)
        for window in windows:
            for number, bits in _masks(window, among=blocks):
                if left := blocks[number] & ~bits:
                    blocks[number] = left
                else:
                    del blocks[number]
        return Minutes(blocks)

    def within(self, window: Window) -> Spans:
        """Those of the minutes inside `window`, as windows."""
        return tuple(self.windows(window))

    def windows(self, window: Window) -> Iterator[Window]:
        """The same as an iterator: a caller that needs only the first window does not pay for all."""
        masks = _masks(window, among=self.blocks)
        return _joined((number, self.blocks[number] & bits) for number, bits in masks)

    def gaps(self, window: Window) -> Iterator[Window]:
        """The minutes of `window` that are not in the set, one window after the other."""
        return _joined((number, bits & ~self.blocks.get(number, 0)) for number, bits in _masks(window))

    def missing_from(self, spans: Spans) -> Spans:
        """The minutes of `spans` that are not in the set."""
        if not spans or not self.blocks:
            return spans
        if len(spans) > ONE_BY_ONE:
            return subtract(spans, self.within(Window(spans[0].start, spans[-1].end)))
        return tuple(gap for window in spans for gap in self.gaps(window))

    def count(self, window: object = None) -> int:
        """How many minutes there are, or of them inside `window`."""
        if not isinstance(window, Window):
            return sum(bits.bit_count() for bits in self.blocks.values())
        return sum(
            (self.blocks[number] & bits).bit_count() for number, bits in _masks(window, among=self.blocks)
        )

    def places(self, window: Window) -> NDArray[np.bool_]:
        """For each minute of `window` whether it is in the set."""
        first, last = window.start // LONG, max(window.start, window.end - MINUTE) // LONG
        whole = b"".join(
            self.blocks.get(number, 0).to_bytes(BLOCK // 8, "little") for number in range(first, last + 1)
        )
        bits = np.unpackbits(np.frombuffer(whole, np.uint8), bitorder="little")
        begin = (window.start - first * LONG) // MINUTE
        return bits[begin : begin + window.minutes].view(np.bool_)

    @property
    def start(self) -> int:
        """The first open time, ms. The set must not be empty."""
        number = min(self.blocks)
        return number * LONG + _lowest(self.blocks[number]) * MINUTE

    @property
    def end(self) -> int:
        """The end of the last minute, ms. The set must not be empty."""
        number = max(self.blocks)
        return number * LONG + self.blocks[number].bit_length() * MINUTE

    def run_end(self, moment: int) -> int:
        """The end of the minutes from `moment` on that are all in the set; `moment` where that one is not."""
        while (bits := self.blocks.get(moment // LONG, 0)) >> (moment % LONG // MINUTE) & 1:
            rest = bits >> (moment % LONG // MINUTE)
            length = _lowest(~rest)
            moment += length * MINUTE
            if moment % LONG:
                break
        return moment

    def run_start(self, moment: int) -> int:
        """The start of the minutes up to `moment` that are all in the set; `moment` where the last is not."""
        while moment > 0:
            number, last = divmod(moment - MINUTE, LONG)
            length = last // MINUTE + 1
            lacking = ~self.blocks.get(number, 0) & bits_of(0, length)
            start = number * LONG + lacking.bit_length() * MINUTE
            if lacking:
                return start
            moment = start
        return moment

    def around_gaps(self, window: Window) -> Window | None:
        """From the first minute of `window` that is not in the set to the last one; None where all are."""
        start = self.run_end(window.start)
        return Window(start, self.run_start(window.end)) if start < window.end else None

    def __bool__(self) -> bool:
        return bool(self.blocks)

    def __iter__(self) -> Iterator[Window]:
        return iter(self._windows())

    def __len__(self) -> int:
        return len(self._windows())

    @overload
    def __getitem__(self, place: int) -> Window: ...
    @overload
    def __getitem__(self, place: slice) -> Spans: ...
    def __getitem__(self, place: int | slice) -> Window | Spans:
        return self._windows()[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Minutes):
            return self.blocks == other.blocks
        return self._windows() == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.blocks.items()))

    def __repr__(self) -> str:
        return f"Minutes.of({list(self._windows()[:5])}...)" if self.blocks else "Minutes()"

    def _windows(self) -> Spans:
        if self._spans is None:
            self._spans = tuple(_joined((number, self.blocks[number]) for number in sorted(self.blocks)))
        return self._spans


NO_MINUTES = Minutes()


def runs_of(bits: int) -> list[tuple[int, int]]:
    """The runs of ones in a block: first minute and end, both counted from the block's beginning."""
    if not bits:
        return []
    first = _lowest(bits)
    rest = bits >> first
    if not rest & (rest + 1):
        return [(first, first + rest.bit_length())]
    places = np.unpackbits(np.frombuffer(bits.to_bytes(BLOCK // 8, "little"), np.uint8), bitorder="little")
    edges = np.flatnonzero(np.diff(places, prepend=np.uint8(0), append=np.uint8(0))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def bits_of(first: int, end: int) -> int:
    """A block's bits from minute `first` up to and without minute `end`."""
    return (1 << end) - (1 << first)


def _masks(window: Window, among: Mapping[int, int] | None = None) -> Iterator[tuple[int, int]]:
    """The bits of a window, block by block; with `among` only of those blocks."""
    if window.start >= window.end:
        return
    first, last = window.start // LONG, (window.end - MINUTE) // LONG
    numbers: Iterable[int] = range(first, last + 1)
    if among is not None and last - first >= len(among):
        numbers = sorted(number for number in among if first <= number <= last)
    for number in numbers:
        if among is None or number in among:
            low = window.start % LONG // MINUTE if number == first else 0
            high = (window.end - MINUTE) % LONG // MINUTE + 1 if number == last else BLOCK
            yield number, FULL if high - low == BLOCK else bits_of(low, high)


def _joined(blocks: Iterable[tuple[int, int]]) -> Iterator[Window]:
    """The windows of ascending blocks; a run that goes on in the next block is one window."""
    last: Window | None = None
    for number, bits in blocks:
        for first, end in runs_of(bits):
            start = number * LONG + first * MINUTE
            if last and last.end == start:
                start = last.start
            elif last:
                yield last
            last = Window(start, number * LONG + end * MINUTE)
    if last:
        yield last


def _lowest(bits: int) -> int:
    """The place of the lowest one."""
    return (bits & -bits).bit_length() - 1
