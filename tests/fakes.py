"""Stand-ins for the outside world: a clock, two stores in memory, an exchange that follows a script, garbage.

They fit `backend.clock.Clock` and the ports of `backend.services.ports`; the stores pass the contract tests
of the real ones.
"""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from copy import deepcopy
from itertools import count, pairwise
from typing import Any

from hypothesis import strategies as st

from backend.core.candles import Candle
from backend.core.columns import Columns, columns_of
from backend.core.coverage import Coverage
from backend.core.series import Listing, Series, canonical_symbol
from backend.core.windows import MINUTE, Spans, Window, normalise
from backend.errors import MarketDataError, UnknownSymbol
from backend.services.ports import Lease, Mark, Written

START = 1_748_736_000_000
"""2025-06-01T00:00:00Z, the beginning of most stories in the tests."""

BTC = Series("binance", "spot", "BTCUSDT")

SETTLING_TURNS = 8
"""Turns of the event loop in which everybody may act before time moves on."""


def minute(number: int) -> int:
    """The open time of the minute that is `number` minutes after START."""
    return START + number * MINUTE


def minutes(first: int, end: int) -> Window:
    """The minutes from number `first` up to and without number `end`."""
    return Window(minute(first), minute(end))


def candle(open_time: int, close: float | None = None) -> Candle:
    """A whole candle whose prices follow from its time, so that no two neighbours look alike."""
    price = 100.0 + open_time // MINUTE % 1000
    return Candle(
        open_time=open_time,
        open=price,
        high=price + 2,
        low=price - 2,
        close=price + 1 if close is None else close,
        volume=1.5,
        quote_volume=1.5 * price,
        trades=7,
        taker_buy_volume=0.5,
        taker_buy_quote_volume=0.5 * price,
    )


def minutes_of(spans: Iterable[Window]) -> set[int]:
    """The open times that `spans` cover, one by one."""
    return {moment for start, end in spans for moment in range(start, end, MINUTE)}


def spans_of(moments: Iterable[int]) -> Spans:
    """The spans that cover exactly these open times."""
    return normalise(Window(moment, moment + MINUTE) for moment in moments)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
"""Anything that JSON can say, and NaN and Infinity, which some servers say all the same."""


def hostile_bodies(right: object) -> st.SearchStrategy[bytes]:
    """What an exchange may send instead of `right`: noise, other JSON, a damaged place, a part."""
    whole = json.dumps(right).encode()
    places = list(_places(right))
    damaged = st.tuples(st.sampled_from(places), json_values).map(lambda damage: _damaged(right, *damage))
    return (
        st.binary()
        | json_values.map(lambda value: json.dumps(value).encode())
        | damaged.map(lambda value: json.dumps(value).encode())
        | st.integers(0, len(whole)).map(lambda end: whole[:end])
    )


def _places(value: object) -> Iterator[tuple[int | str, ...]]:
    """The way to every value inside `value`."""
    yield ()
    inner: Iterable[tuple[int | str, object]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, part in inner:
        yield from ((key, *rest) for rest in _places(part))


def _damaged(value: object, place: tuple[int | str, ...], instead: object) -> object:
    if not place:
        return instead
    copied: Any = deepcopy(value)
    holder = copied
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = instead
    return copied


class FakeClock:
    """Time that stands still while anybody works and jumps to the next wake-up when all have gone to sleep.

    Fits `backend.clock.Clock`. Sleepers wake in the order of their moments, and those of the same moment in
    the order in which they went to sleep.
    """

    def __init__(self, now: int = START) -> None:
        self._epoch = now
        self._seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._waking = False

    def now(self) -> int:
        return self._epoch + round(self._seconds * 1000)

    def monotonic(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let time pass by hand."""
        self._seconds += seconds

    def fall_asleep(self, seconds: float) -> None:
        """Let time pass of which only the wall clock knows."""
        self._epoch += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        moment = self._seconds + max(seconds, 0.0)
        heapq.heappush(self._sleepers, (moment, next(self._numbers), woken))
        if not self._waking:
            self._waking = True
            loop.call_soon(self._settle, loop, SETTLING_TURNS)
        await woken

    def _settle(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns:
            loop.call_soon(self._settle, loop, turns - 1)
            return
        self._wake_next()
        self._waking = bool(self._sleepers)
        if self._waking:
            loop.call_soon(self._settle, loop, SETTLING_TURNS)

    def _wake_next(self) -> None:
        while self._sleepers:
            moment, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._seconds = max(self._seconds, moment)
                woken.set_result(None)
                return


class MemoryCandles:
    """Fits `backend.services.ports.CandleStore`. `failure`, when set, is raised by every call."""

    BATCH = 100

    def __init__(self) -> None:
        self.failure: MarketDataError | None = None
        self.created: list[Series] = []
        self.rows: dict[Series, dict[int, Candle]] = {}

    async def create(self, series: Series) -> None:
        await self._answer()
        self.created.append(series)

    async def write(self, series: Series, candles: Sequence[Candle]) -> Written:
        await self._answer()
        if any(later.open_time <= earlier.open_time for earlier, later in pairwise(candles)):
            raise AssertionError("candles to write must ascend")
        rows = self.rows.setdefault(series, {})
        inserted = sum(row.open_time not in rows for row in candles)
        replaced = sum(rows.get(row.open_time, row) != row for row in candles)
        rows.update((row.open_time, row) for row in candles)
        return Written(inserted, replaced)

    async def add(self, series: Series, candles: Sequence[Candle]) -> bool:
        await self._answer()
        rows = self.rows.setdefault(series, {})
        for row in candles:
            rows.setdefault(row.open_time, row)
        return all(rows[row.open_time] == row for row in candles)

    async def columns(
        self,
        series: Series,
        window: Window,
        limit: int | None = None,
        *,
        backwards: bool = False,
        batch: int = BATCH,
    ) -> AsyncGenerator[Columns, None]:
        await self._answer()
        within = [row for row in self.stored(series) if window.start <= row.open_time < window.end]
        if backwards:
            chosen = within if limit is None else within[max(0, len(within) - limit) :]
            for end in range(len(chosen), 0, -batch):
                yield columns_of(chosen[max(0, end - batch) : end])
        else:
            chosen = within[:limit]
            for first in range(0, len(chosen), batch):
                yield columns_of(chosen[first : first + batch])

    async def remove(self, series: Series, window: Window) -> None:
        await self._answer()
        for moment in self.moments(series):
            if window.start <= moment < window.end:
                del self.rows[series][moment]

    async def drop(self, series: Series) -> None:
        await self._answer()
        self.rows.pop(series, None)

    async def stored_series(self) -> list[Series]:
        await self._answer()
        return sorted(self.rows, key=lambda series: series.name)

    async def bytes_on_disk(self, series: Series) -> int:
        await self._answer()
        return 60 * len(self.moments(series))

    async def span(self, series: Series) -> Window | None:
        await self._answer()
        moments = self.moments(series)
        return Window(min(moments), max(moments) + MINUTE) if moments else None

    async def count(self, series: Series, window: Window) -> int:
        return len(await self.open_times(series, window))

    async def open_times(self, series: Series, window: Window) -> list[int]:
        await self._answer()
        return sorted(moment for moment in self.moments(series) if window.start <= moment < window.end)

    def stored(self, series: Series = BTC) -> list[Candle]:
        """Every stored candle, ascending."""
        return [row for _, row in sorted(self.rows.get(series, {}).items())]

    def moments(self, series: Series = BTC) -> set[int]:
        """The open times that are stored."""
        return set(self.rows.get(series, {}))

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure


class MemoryCoverage:
    """Fits `backend.services.ports.CoverageStore`. Its clock stands still until `pass_seconds` moves it.

    `saves` counts the attempts.
    """

    def __init__(self) -> None:
        self.failure: MarketDataError | None = None
        self.entries: dict[Series, Coverage] = {}
        self.leases: dict[Series, tuple[str, str, float]] = {}
        self._writes: dict[Series, int] = {}
        self.saves = 0
        self._seconds = 0.0
        self._tokens = count()

    async def load(self, series: Series) -> Coverage:
        await self._answer()
        return self.known(series)

    async def load_all(self, series: Collection[Series]) -> dict[Series, Coverage]:
        await self._answer()
        return {one: self.known(one) for one in series}

    async def count(self) -> int:
        return len(await self._wanted())

    async def newest(self, limit: int) -> list[tuple[Series, Coverage]]:
        ordered = sorted(await self._wanted(), key=lambda entry: (-(entry[1].until or 0), entry[0].name))
        return ordered[:limit]

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        await self._answer()
        return {
            series.symbol
            for series, coverage in self.entries.items()
            if (series.exchange, series.market) == (exchange, market) and coverage.held
        }

    async def marks(self, market: tuple[str, str] | None = None) -> dict[Series, Mark]:
        await self._answer()
        named = [one for one in self.entries if market in (None, (one.exchange, one.market))]
        return {one: self._mark(one) for one in sorted(named, key=lambda one: one.name)}

    async def marks_of(self, series: Collection[Series]) -> dict[Series, Mark]:
        await self._answer()
        return {one: self._mark(one) for one in series if one in self.entries}

    def _mark(self, series: Series) -> Mark:
        return Mark((self._writes.get(series, 0),), bool(self.known(series).held))

    async def acquire(self, series: Series, owner: str, seconds: float) -> Lease | None:
        await self._answer()
        if self._holder(series) not in (None, owner):
            return None
        token = str(next(self._tokens))
        self.leases[series] = owner, token, self._seconds + seconds
        self._write(series)
        return Lease(series, token, self.known(series))

    async def renew(self, lease: Lease, seconds: float) -> bool:
        await self._answer()
        if self._holds(lease):
            self.leases[lease.series] = (*self.leases[lease.series][:2], self._seconds + seconds)
        return self._holds(lease)

    async def save(self, lease: Lease, coverage: Coverage, saved: Coverage | None = None) -> bool:
        self.saves += 1
        await self._answer()
        if not self._holds(lease):
            return False
        if saved is not None and saved != self.known(lease.series):
            raise AssertionError("another ledger was saved before")
        self.entries[lease.series] = coverage
        self._write(lease.series)
        await asyncio.sleep(0)
        return True

    async def extend(self, held: Mapping[Series, Window]) -> set[Series]:
        await self._answer()
        fit = {series for series, window in held.items() if self._is_extended_by(series, window)}
        for series in fit:
            self.leases.pop(series, None)
            self.entries[series] = self.known(series).with_held([held[series]]).asked(held[series])
            self._write(series)
        return {one for one, window in held.items() if self.known(one).held.within(window) == (window,)}

    def _is_extended_by(self, series: Series, window: Window) -> bool:
        known = self.known(series)
        ends = known.until == window.start and known.held and known.held.end == window.start
        return bool(ends) and self._holder(series) is None

    async def release(self, lease: Lease) -> None:
        await self._answer()
        if self._holds(lease):
            del self.leases[lease.series]

    async def leased(self, series: Sequence[Series], owner: str) -> set[Series]:
        await self._answer()
        return {one for one in series if self._holder(one) not in (None, owner)}

    async def holders(self, series: Collection[Series]) -> dict[Series, str]:
        await self._answer()
        return {one: holder for one in series if (holder := self._holder(one)) is not None}

    def _write(self, series: Series) -> None:
        self._writes[series] = self._writes.get(series, 0) + 1

    def known(self, series: Series = BTC) -> Coverage:
        """What is saved of a series."""
        return self.entries.get(series, Coverage())

    def pass_seconds(self, seconds: float) -> None:
        """Let leases run out."""
        self._seconds += seconds

    async def _wanted(self) -> list[tuple[Series, Coverage]]:
        await self._answer()
        return [entry for entry in self.entries.items() if entry[1].since is not None]

    def _holder(self, series: Series) -> str | None:
        owner, _, until = self.leases.get(series, ("", "", self._seconds))
        return owner if until > self._seconds else None

    def _holds(self, lease: Lease) -> bool:
        return self.leases.get(lease.series, ("", "", 0.0))[1] == lease.token

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure


async def at_once(_window: Window) -> None:
    """Take one turn of the loop to answer, like an exchange that is very near."""
    await asyncio.sleep(0)


def untouched(rows: list[Candle], _window: Window) -> list[Candle]:
    """Send what was asked for."""
    return rows


class ScriptedSource:
    """Fits `backend.services.ports.CandleSource`: an exchange that has exactly `moments`.

    `listed` are its symbols. `size` says how many minutes a page may have by their age, `page_size` at first,
    and `cap` is the most rows it sends, whatever was asked for. A window that covers a moment of `broken`
    fails with that error. `distort` turns the right rows into what is sent; `delay` runs before each answer.
    `asked` lists the windows of `candles`, `first_asked` counts the calls of `first_candle`, and
    `most_in_flight` is the largest number of open `candles` calls at any time.
    """

    def __init__(
        self,
        moments: Iterable[int] = (),
        clock: FakeClock | None = None,
        *,
        page_size: int = 10,
        cap: int | None = None,
        symbols: Iterable[str] = (BTC.symbol,),
    ) -> None:
        self.moments = set(moments)
        self.clock = clock or FakeClock(minute(1_000_000))
        self.cap = cap
        self.listed = set(symbols)
        self.broken: dict[int, MarketDataError] = {}
        self.distort: Callable[[list[Candle], Window], list[Candle]] = untouched
        self.delay: Callable[[Window], Awaitable[None]] = at_once
        self.asked: list[Window] = []
        self.first_asked = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.size: Callable[[int], int] = lambda _age: page_size

    def canonical(self, text: str) -> str:
        return canonical_symbol(text)

    def page_size(self, age: int) -> int:
        return self.size(age)

    async def symbols(self) -> Mapping[str, Listing]:
        await asyncio.sleep(0)
        return {
            symbol: Listing(symbol, symbol, symbol[:-4], symbol[-4:], "TRADING") for symbol in self.listed
        }

    def known_status(self, symbol: str) -> str | None:
        return "TRADING" if symbol in self.listed else "BREAK"

    async def is_traded(self, symbol: str) -> bool:
        return symbol in self.listed

    async def ensure_known(self, symbol: str) -> None:
        self._refuse_strangers(symbol)

    async def candles(self, symbol: str, window: Window) -> Sequence[Candle]:
        self.asked.append(window)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.delay(window)
        finally:
            self.in_flight -= 1
        self._refuse_strangers(symbol)
        for moment, error in self.broken.items():
            if window.start <= moment < window.end:
                raise error
        within = sorted(moment for moment in self.moments if window.start <= moment < window.end)
        return self.distort([candle(moment) for moment in within[: self.cap]], window)

    async def first_candle(self, symbol: str, known: int | None = None) -> int | None:
        self.first_asked += 1
        await asyncio.sleep(0)
        self._refuse_strangers(symbol)
        return min(self.moments, default=known)

    async def now(self) -> int:
        await asyncio.sleep(0)
        return self.clock.now()

    def known_now(self) -> int | None:
        return self.clock.now()

    def asked_minutes(self) -> list[int]:
        """Every minute that was asked for, as often as it was."""
        return [moment for start, end in self.asked for moment in range(start, end, MINUTE)]

    def _refuse_strangers(self, symbol: str) -> None:
        if symbol not in self.listed:
            raise UnknownSymbol(f"the exchange does not list {symbol}")
