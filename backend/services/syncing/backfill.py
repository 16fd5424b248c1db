"""Fetches missing minutes page by page, several pages in flight, until each minute is held or known void.

A page's minutes that did not come, or whose candle contradicts itself, are asked for again: a few as pages of
their own, many of them together, since thin markets lack every other minute. They are void only when such a
question brings nothing, or its answer reaches over them without them. So a page cap that shrank, a short
page, a bad edge or one wrong answer costs requests, never candles. Candles are on disk before the ledger
claims them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from backend.core.candles import Candle, clean, held_by, inside
from backend.core.coverage import Coverage, Void, void_of, void_without_data
from backend.core.job import Tally
from backend.core.minutes import NO_MINUTES
from backend.core.plan import FEW, Question, confirming, questions
from backend.core.windows import MINUTE, Spans, Window, count_minutes, intersect, normalise, subtract
from backend.errors import ExchangeUnavailable, MalformedAnswer, MarketDataError, RateLimited
from backend.services.ports import CandleSource, CandleStore
from backend.services.syncing.ledger import Ledger
from backend.services.syncing.stop_signal import StopSignal

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 5
"""So many pages lost in a row mean that the exchange is away, not that a page is bad."""


STRETCH = 64
"""Pages whose holes are asked for again together."""

EXACTLY_FROM = 3
"""From this question on, what is still in doubt is asked for hole by hole."""


@dataclass(slots=True)
class Stretch:
    """Pages that lie side by side: what they leave in doubt is asked for again when all of them came.

    `open` counts the questions that are not answered yet, `asked` how often its unproven were asked for.
    """

    open: int
    unproven: list[Window] = field(default_factory=list)
    asked: int = 0


class Asked(NamedTuple):
    """A question that is to be put. `again`: another answer lacked its minutes."""

    question: Question
    stretch: Stretch
    again: bool = False


class Backfill:
    """One pass over the missing minutes of one series; used once.

    `now` is the exchange's time, by which pages are cut; `stop_signal` ends the pass at a page's edge. After
    `run`, `error` says why minutes may still be missing: the first page that was lost, or what ended the pass
    early. The ledger says which they are.
    """

    def __init__(
        self,
        *,
        source: CandleSource,
        store: CandleStore,
        ledger: Ledger,
        missing: Spans,
        now: int,
        on_progress: Callable[[Tally], None],
        stop_signal: StopSignal,
    ) -> None:
        self._series = ledger.series
        self._source = source
        self._store = store
        self._ledger = ledger
        self._page_size: Callable[[int], int] = lambda start: source.page_size(now - start)
        self._pages = deque(_stretched(questions(missing, self._page_size)))
        self._in_flight = 0
        self._changed = asyncio.Event()
        self._on_progress = on_progress
        self._total = count_minutes(missing)
        self._done = 0
        self._lost_in_a_row = 0
        self._stop_signal = stop_signal
        self._lost = False
        self._new_records = 0
        self._revised_records = 0
        self._off_grid = 0
        self._contradictory = 0
        self.error: MarketDataError | None = None

    async def run(self, pages_in_flight: int) -> None:
        """Work until nothing is left to ask or going on makes no sense."""
        self._report()
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(pages_in_flight, len(self._pages))):
                workers.create_task(self._work())
        self.error = self.error or self._stop_signal.reason

    @property
    def tally(self) -> Tally:
        """How far it is."""
        return Tally(
            minutes_done=self._done,
            minutes_total=self._total,
            new_records=self._new_records,
            revised_records=self._revised_records,
            off_grid=self._off_grid,
            contradictory=self._contradictory,
        )

    @property
    def unfinished(self) -> bool:
        """Whether pages were lost, or left because the pass ended early."""
        return self._lost or bool(self._pages)

    async def _work(self) -> None:
        while asked := await self._next():
            try:
                await self._fetch(asked)
            except MarketDataError as error:
                self._lose(asked.question.window, error)
            else:
                self._lost_in_a_row = 0
            self._in_flight -= 1
            self._close(asked.stretch)
            self._changed.set()

    async def _next(self) -> Asked | None:
        """What to ask next; while others are in flight their answers may raise new questions."""
        # An answer in flight may leave minutes unproven, which are asked for once more: who took the empty
        # queue for the end would leave them to one worker alone. Counting up and taking a page are one step,
        # without an await between, so that no two take the same page.
        while not self._pages and self._in_flight and not self._stop_signal.reason:
            self._changed.clear()
            await self._changed.wait()
        if self._stop_signal.reason or not self._pages:
            return None
        self._in_flight += 1
        return self._pages.popleft()

    async def _fetch(self, asked: Asked) -> None:
        """Put a question. What two answers lack is void if one of them reaches over it, or was exact.

        An answer reaches over the minutes between its first and its last row: it may have been cut outside.
        """
        window, wanted, confirms = asked.question
        rows = await self._source.candles(self._series.symbol, window)
        candles, off_grid, contradictory = clean(rows, window)
        if not asked.again:
            self._off_grid += off_grid
            self._contradictory += len(contradictory)
        chosen = inside(candles, wanted)
        # Candles first, acknowledged and journaled, then the ledger: a crash between the two costs a page
        # that is fetched again. The other way round the ledger would claim what a crash has lost, for ever.
        rewritten = False
        if chosen:
            written = await self._store.write(self._series, chosen)
            self._new_records += written.inserted
            self._revised_records += written.replaced
            rewritten = bool(written.inserted or written.replaced)
        held = held_by(chosen)
        absent = self._ledger.coverage.held.missing_from(subtract(wanted, held))
        # Void is only what this exact question was asked for twice: one empty or short answer proves nothing.
        proven = _proven(absent, candles, confirms=confirms, exactly=asked.again and not held)
        self._ask_again(subtract(absent, proven), asked.stretch)
        voids = _voids(proven, contradictory, await self._source.now()) if proven else []
        resolved = subtract(wanted, subtract(absent, proven))
        await self._learn(lambda known: known.with_held(held).with_voids(voids), resolved, rewritten)

    def _ask_again(self, absent: Spans, stretch: Stretch) -> None:
        """Ask again for what an answer lacked: a few holes at once, many together with their neighbours'."""
        if len(absent) > FEW:
            stretch.unproven += absent
            return
        exact = [Asked(Question(window, (window,)), stretch, again=True) for window in absent]
        stretch.open += len(exact)
        self._pages.extendleft(reversed(exact))

    def _close(self, stretch: Stretch) -> None:
        """One question of a stretch is answered, or lost: after the last one, ask for what is in doubt."""
        stretch.open -= 1
        if stretch.open or not stretch.unproven:
            return
        unproven = normalise(stretch.unproven)
        stretch.unproven, stretch.asked = [], stretch.asked + 1
        held = self._ledger.coverage.held if stretch.asked < EXACTLY_FROM else NO_MINUTES
        again = [Asked(one, stretch, again=True) for one in confirming(unproven, held, self._page_size)]
        stretch.open = len(again)
        self._pages.extendleft(reversed(again))

    async def _learn(
        self, change: Callable[[Coverage], Coverage], resolved: Spans, rewritten: bool = False
    ) -> None:
        await self._ledger.record(change, rewritten=rewritten)
        self._done += count_minutes(resolved)
        self._report()

    def _lose(self, page: Window, error: MarketDataError) -> None:
        level = logging.WARNING if _concerns_one_page(error) else logging.INFO
        log.log(level, "%s: gave up on the page from %d: %s", self._series.name, page.start, error)
        self._lost = True
        self.error = self.error or error
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= GIVE_UP_AFTER or not _concerns_one_page(error):
            self._stop_signal.stop(error)

    def _report(self) -> None:
        self._on_progress(self.tally)


def _stretched(asked: Iterator[Question]) -> Iterator[Asked]:
    while group := list(islice(asked, STRETCH)):
        stretch = Stretch(open=len(group))
        yield from (Asked(question, stretch) for question in group)


def _proven(absent: Spans, candles: Sequence[Candle], *, confirms: bool, exactly: bool) -> Spans:
    """Which of the minutes that an answer lacks are lacking at the exchange."""
    if exactly and not confirms:
        return absent
    if not (confirms and candles):
        return ()
    return intersect(absent, Window(candles[0].open_time, candles[-1].open_time + MINUTE))


def _voids(absent: Spans, contradictory: Sequence[int], now: int) -> list[Void]:
    """What is known of minutes of which two questions brought no candle that can be believed.

    Between them lie held minutes alone: one void reaches over all.
    """
    if not absent:
        return []
    refused = normalise(Window(moment, moment + MINUTE) for moment in contradictory)
    within = [part for window in absent for part in intersect(refused, window)]
    return [
        void_without_data(Window(absent[0].start, absent[-1].end), now),
        *(void_of(window, "contradictory", now) for window in within),
    ]


def _concerns_one_page(error: MarketDataError) -> bool:
    """Whether the next page may fare better: not after a refusal of everything, or without a database."""
    return isinstance(error, ExchangeUnavailable | MalformedAnswer) and not isinstance(error, RateLimited)
