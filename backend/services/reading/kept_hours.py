"""Candles of an hour that were made once, kept for reads over years.

Hours lie in chunks of eight days. A chunk that is closed has a key: the held minutes, the revisions in it and
the shortfalls of its series. Whatever changes a stored candle changes the key (see `validators.py`). So a
kept chunk is used only while it is what the minutes would make. As with validators, the facts of a key are
read before the candles.

Chunks are kept in memory, those that were used last, and in the database, where anybody may drop them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from backend.core.columns import Columns, joined, same
from backend.core.interval import ONE_HOUR
from backend.core.series import Series
from backend.core.windows import DAY, Window, count_minutes
from backend.errors import DatabaseUnavailable
from backend.services.ports import CandleStore, HourStore, KeptChunk, RevisionState, RevisionStore
from backend.services.reading.validators import OpenSelection
from backend.services.streaming.rolling import Bars, rolled

CHUNK = 8 * DAY
HOURS = CHUNK // (60 * 60_000)
"""Most hours of a chunk."""

GROUP = 64
"""Chunks that are looked for together."""

MADE_BY = 1
"""Increase this whenever hours are made otherwise from the same minutes."""

BEFORE, AFTER = -2, -1
"""The numbers of what lies before and behind all chunks."""

OVERHEAD = 1_000
"""Bytes of a chunk in memory besides its numbers."""


class Chunk(NamedTuple):
    """A part of a read: the window of a chunk, and how much of it is read. `key` is None while it is open."""

    number: int
    window: Window
    part: Window
    key: str | None
    minutes: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it is read."""
        return self.part == self.window


@dataclass(slots=True)
class _Stock:
    """The chunks in memory, up to `room` bytes of them: those that were used last."""

    room: int
    taken: int = 0
    kept: OrderedDict[tuple[Series, int], KeptChunk] = field(default_factory=OrderedDict)

    def of(self, series: Series, chunk: Chunk) -> Columns | None:
        kept = self.kept.get((series, chunk.number))
        if kept is None or kept.key != chunk.key:
            return None
        self.kept.move_to_end((series, chunk.number))
        return kept.hours

    def put(self, series: Series, number: int, chunk: KeptChunk) -> None:
        self.drop(series, number)
        self.kept[series, number] = chunk
        self.taken += _size(chunk.hours)
        while self.taken > self.room:
            _, old = self.kept.popitem(last=False)
            self.taken -= _size(old.hours)

    def drop(self, series: Series, number: int) -> None:
        if old := self.kept.pop((series, number), None):
            self.taken -= _size(old.hours)


class KeptHours:
    """`room` is the most memory, in bytes, that kept chunks take."""

    def __init__(
        self, *, candles: CandleStore, revisions: RevisionStore, store: HourStore, room: int
    ) -> None:
        self._candles = candles
        self._revisions = revisions
        self._store = store
        self._stock = _Stock(room)

    async def read(self, opened: OpenSelection, window: Window, *, backwards: bool = False) -> Bars:
        """The hours of a window of whole hours in ascending batches; `backwards` gives the newest first."""
        chunks = await self._chunks(opened, window)
        for group in _groups(chunks, backwards):
            kept = await self._looked_up(opened.series, group)
            async with aclosing(self._read(opened.series, group, kept, backwards)) as batches:
                async for batch in batches:
                    yield batch

    async def check(self, opened: OpenSelection) -> bool:
        """Whether all that the database keeps of a series is what its minutes make; if not, it is dropped."""
        series, sound = opened.series, True
        held = opened.known.held
        for chunk in await self._chunks(opened, Window(held.start, held.end)) if held else ():
            kept = (await self._store.load(series, [chunk.number])).get(chunk.number)
            if kept is None or kept.key != chunk.key:
                continue
            made = [batch async for batch in rolled(self._candles.columns(series, chunk.window), ONE_HOUR)]
            if not same(kept.hours, joined(made) if made else None):
                sound = False
        if not sound:
            await self.forget(series)
        return sound

    async def forget(self, series: Series) -> None:
        """Drop all that is kept of a series."""
        for one, number in [key for key in self._stock.kept if key[0] == series]:
            self._stock.drop(one, number)
        await self._store.drop(series)

    async def _chunks(self, opened: OpenSelection, window: Window) -> list[Chunk]:
        """A window in chunks. What lies before the first held minute, and what is open at the end, may be as
        long as time: each of the two is one part without a key."""
        known = opened.known
        first = max(window.start, known.held.start) // CHUNK
        numbers = range(first, max(first, min(-(-window.end // CHUNK), known.known_until // CHUNK)))
        closed = Window(numbers.start * CHUNK, numbers.stop * CHUNK)
        states = await self._revisions.states(opened.series, closed, CHUNK) if numbers else {}
        chunks = [_chunk(opened, number, window, states.get(number, RevisionState())) for number in numbers]
        before = Window(window.start, min(closed.start, window.end))
        after = Window(max(closed.end, window.start), window.end)
        return [*_open(BEFORE, before), *chunks, *_open(AFTER, after)]

    async def _looked_up(self, series: Series, chunks: Sequence[Chunk]) -> dict[int, Columns]:
        """The kept hours of chunks, by number; those of the database are in memory too from now on."""
        by_number = {
            one.number: hours for one in chunks if (hours := self._stock.of(series, one)) is not None
        }
        keys = {one.number: one.key for one in chunks if one.key and one.number not in by_number}
        if keys:
            for number, kept in (await self._store.load(series, list(keys))).items():
                if kept.key == keys[number]:
                    by_number[number] = kept.hours
                    self._stock.put(series, number, kept)
        return by_number

    async def _read(
        self, series: Series, chunks: Sequence[Chunk], kept: Mapping[int, Columns], backwards: bool
    ) -> Bars:
        for run in _runs(chunks, kept, backwards):
            if run[0].number in kept:
                hours = joined([_part(kept[one.number], one.part) for one in run])
                if len(hours):
                    yield hours
            elif backwards:
                if made := [batch async for batch in self._made(series, run)]:
                    yield joined(made)
            else:
                async with aclosing(self._made(series, run)) as batches:
                    async for batch in batches:
                        yield batch

    async def _made(self, series: Series, run: Sequence[Chunk]) -> Bars:
        """The hours of neighbouring chunks, made from their minutes. Whole closed chunks are kept."""
        window = Window(run[0].part.start, run[-1].part.end)
        made: list[Columns] = []
        async with aclosing(rolled(self._candles.columns(series, window), ONE_HOUR)) as batches:
            async for batch in batches:
                made.append(batch)
                yield batch
        if made:
            await self._keep(series, joined(made), run)

    async def _keep(self, series: Series, hours: Columns, run: Sequence[Chunk]) -> None:
        fresh: dict[int, KeptChunk] = {}
        for one in run:
            part = _part(hours, one.window)
            # The ledger claims more or less than was read: then the key does not stand for these candles.
            if one.key and one.is_whole and len(part) and _minutes(part) == one.minutes:
                fresh[one.number] = KeptChunk(one.key, _copied(part))
                self._stock.put(series, one.number, fresh[one.number])
        if fresh:
            # A database that cannot be written to loses nothing here but time.
            with suppress(DatabaseUnavailable):
                await self._store.save(series, fresh)


def _open(number: int, window: Window) -> list[Chunk]:
    return [Chunk(number, window, window, None, 0)] if window.start < window.end else []


def _chunk(opened: OpenSelection, number: int, window: Window, revisions: RevisionState) -> Chunk:
    """A chunk that ends before the last question to the exchange. It is open while a candle is being
    replaced."""
    whole, known = Window(number * CHUNK, (number + 1) * CHUNK), opened.known
    part = Window(max(whole.start, window.start), min(whole.end, window.end))
    if revisions.pending or opened.shortfalls is None:
        return Chunk(number, whole, part, None, 0)
    held = known.held.within(whole)
    facts = repr((MADE_BY, tuple(map(tuple, held)), tuple(revisions), opened.shortfalls))
    key = blake2b(facts.encode(), digest_size=16).hexdigest()
    return Chunk(number, whole, part, key, count_minutes(held))


def _groups(chunks: Sequence[Chunk], backwards: bool) -> list[Sequence[Chunk]]:
    groups = [chunks[first : first + GROUP] for first in range(0, len(chunks), GROUP)]
    return groups[::-1] if backwards else groups


def _runs(chunks: Sequence[Chunk], kept: Mapping[int, Columns], backwards: bool) -> list[Sequence[Chunk]]:
    """Neighbours that are all kept, or all not. On the way back what is not kept is made one by one, because
    the reader may need no more."""
    runs: list[list[Chunk]] = []
    for one in chunks:
        alike = runs and (runs[-1][0].number in kept) == (one.number in kept)
        if alike and (one.number in kept or not backwards):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [*reversed(runs)] if backwards else [*runs]


def _part(hours: Columns, window: Window) -> Columns:
    first, after = np.searchsorted(hours.open_time, window).tolist()
    return hours if (first, after) == (0, len(hours)) else hours[first:after]


def _copied(hours: Columns) -> Columns:
    """With numbers of its own: a part would hold the memory of the whole."""
    return Columns(**{name: column.copy() for name, column in hours.present().items()})


def _minutes(hours: Columns) -> int:
    return 0 if hours.minutes is None else int(hours.minutes.sum())


def _size(hours: Columns) -> int:
    return OVERHEAD + sum(column.nbytes for column in hours.present().values())
