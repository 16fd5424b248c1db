"""Fetches missing minutes page by page, several pages in flight, until each minute is held or known void.

If minutes of a page did not come, or their prices contradict each other, the backfill asks for them again: a
few as pages of their own, many of them together, because thin markets lack every other minute. A minute is
void only if such a question brings nothing, or if its answer reaches over the minute without it. So a smaller
page limit, a short page, a wrong edge or one wrong answer costs requests, never candles. Candles are on disk
before the ledger claims them.
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
from backend.precedence import Precedence
from backend.services.ports import CandleStore
from backend.services.syncing.ledger import Ledger
from backend.services.syncing.stop_signal import StopSignal
from backend.services.venue_ports import CandleSource

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 5
"""After this many lost pages in a row the exchange counts as away."""


STRETCH = 64
"""Pages whose holes share the second questions."""

EXACTLY_FROM = 3
"""From this question on, remaining doubtful holes are asked for one by one."""


@dataclass(slots=True)
class Stretch:
    """Neighbouring pages. When all of them have come, their doubtful minutes are asked for again.

    `open` is the number of unanswered questions, `asked` how often its unproven minutes were asked for.
    """

    open: int
    unproven: list[Window] = field(default_factory=list)
    asked: int = 0


class Asked(NamedTuple):
    """A question to send. `again`: another answer lacked its minutes."""

    question: Question
    stretch: Stretch
    again: bool = False


class Backfill:
    """One pass over the missing minutes of one series; used once.

    `now` is the exchange's time, by which pages are cut; `stop_signal` ends the pass at a page's edge. After
    `run`, `error` says why minutes may still be missing: the first lost page, or the reason for an early end.
    The ledger says which minutes these are.
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
        precedence: Precedence,
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
        self._precedence = precedence
        self._lost = False
        self._new_records = 0
        self._revised_records = 0
        self._off_grid = 0
        self._contradictory = 0
        self.error: MarketDataError | None = None

    async def run(self, pages_in_flight: int) -> None:
        """Work until there are no more questions, or until more work is useless."""
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
        """The next question. While others are in flight, their answers may add new questions."""
        # An answer in flight may leave minutes unproven, which need another question. If a worker took the
        # empty queue for the end, one worker would be alone with them. Counting up and taking a page are one
        # step without an await, so that no two workers take the same page.
        while not self._pages and self._in_flight and not self._stop_signal.reason:
            self._changed.clear()
            await self._changed.wait()
        if self._stop_signal.reason or not self._pages:
            return None
        self._in_flight += 1
        return self._pages.popleft()

    async def _fetch(self, asked: Asked) -> None:
        rows = await self._source.candles(self._series.symbol, asked.question.window)
        now = await self._source.now()
        async with self._precedence.turn():
            await self._take(asked, rows, now)

    async def _take(self, asked: Asked, rows: Sequence[Candle], now: int) -> None:
        """Store an answer that came at `now` (ms). A minute that two answers lack is void if one answer
        reaches over it, or was exact.

        An answer reaches over the minutes between its first and its last row. Outside of them it may be cut.
        """
        window, wanted, confirms = asked.question
        candles, off_grid, contradictory = clean(rows, window)
        if not asked.again:
            self._off_grid += off_grid
            self._contradictory += len(contradictory)
        chosen = inside(candles, wanted)
        # Candles first, acknowledged and journaled, then the ledger. A crash between the two costs one more
        # request for the page. In the other order the ledger would claim lost candles for ever.
        rewritten = False
        async for part in self._precedence.parts(chosen):
            written = await self._store.write(self._series, part)
            self._new_records += written.inserted
            self._revised_records += written.replaced
            rewritten = rewritten or bool(written.inserted or written.replaced)
        held = held_by(chosen)
        absent = self._ledger.coverage.held.missing_from(subtract(wanted, held))
        # A minute is void only after this exact question was asked twice: one empty or short answer proves
        # nothing.
        proven = _proven(absent, candles, confirms=confirms, exactly=asked.again and not held)
        self._ask_again(subtract(absent, proven), asked.stretch)
        voids = _voids(proven, contradictory, now) if proven else []
        resolved = subtract(wanted, subtract(absent, proven))
        await self._learn(lambda known: known.with_held(held).with_voids(voids), resolved, rewritten)

    def _ask_again(self, absent: Spans, stretch: Stretch) -> None:
        """Ask again for the minutes that an answer lacked: a few holes at once, many of them together with
        their neighbours'."""
        if len(absent) > FEW:
            stretch.unproven += absent
            return
        exact = [Asked(Question(window, (window,)), stretch, again=True) for window in absent]
        stretch.open += len(exact)
        self._pages.extendleft(reversed(exact))

    def _close(self, stretch: Stretch) -> None:
        """One question of a stretch is answered or lost. After the last one, ask for doubtful minutes."""
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
    """Which of the minutes that an answer lacks are certainly absent at the exchange."""
    if exactly and not confirms:
        return absent
    if not (confirms and candles):
        return ()
    return intersect(absent, Window(candles[0].open_time, candles[-1].open_time + MINUTE))


def _voids(absent: Spans, contradictory: Sequence[int], now: int) -> list[Void]:
    """The voids for minutes of which two questions brought no usable candle.

    Only held minutes are between them, so one void covers all.
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
    """Whether the next page may succeed: not after a refusal of everything, and not without a database."""
    return isinstance(error, ExchangeUnavailable | MalformedAnswer) and not isinstance(error, RateLimited)
