"""Every interval, read any way, against what pandas makes of the same minutes: on a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.ioloop import IOLoop

from backend.clock import SystemClock
from backend.core.candles import Candle
from backend.core.columns import NO_TRADES, Columns, candles_of, joined
from backend.core.interval import INTERVALS
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.services.ports import CandleStore
from backend.services.reading.bars import on_grid, read_bars, read_bars_back
from backend.store.market.candles import MongoCandles
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database
from tests.examples import examples
from tests.fakes import BTC, START, MemoryCandles

RULES = {
    **{f"{number}m": f"{number}min" for number in (1, 3, 5, 15, 30)},
    **{f"{number}h": f"{number}h" for number in (1, 2, 4, 6, 8, 12)},
    "1d": "24h",
    "3d": "72h",
    "1w": "W-MON",
    "1M": "MS",
}
"""Pandas' own words for the intervals."""

SUMS = ("volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")
NUMBERS = count()


class Small:
    """A candle store that answers in small batches, however large the ones that are asked for."""

    def __init__(self, store: CandleStore, batch: int) -> None:
        self._store = store
        self._batch = batch

    def columns(
        self,
        series: Series,
        window: Window,
        limit: int | None = None,
        *,
        backwards: bool = False,
        batch: int = 10_000,
    ) -> AsyncGenerator[Columns, None]:
        return self._store.columns(series, window, limit, backwards=backwards, batch=min(batch, self._batch))


class Story(NamedTuple):
    """Some candles with holes between them, and a way to read them."""

    candles: list[Candle]
    wanted: Selection
    known_until: int
    batch: int


@st.composite
def stories(draw: st.DrawFn) -> Story:
    runs = draw(
        st.lists(
            st.tuples(st.integers(0, 100) | st.integers(0, 30_000), st.integers(1, 150)),
            min_size=1,
            max_size=8,
        )
    )
    moments: list[int] = []
    cursor = START // MINUTE + draw(st.integers(0, 50_000))
    for hole, run in runs:
        moments += range(cursor + hole, cursor + hole + run)
        cursor += hole + run
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    interval = INTERVALS[draw(st.sampled_from(list(RULES)))]
    bound = st.integers(START // MINUTE, cursor + 100).map(lambda minute: minute * MINUTE)
    ends = sorted((draw(bound), draw(bound))) if draw(st.booleans()) else (0, (cursor + 90_000) * MINUTE)
    limit = draw(st.none() | st.integers(1, 30))
    wanted = Selection(
        Window(*ends),
        interval,
        limit=limit,
        newest=draw(st.booleans()),
        forming=draw(st.booleans()),
        fill="previous" if draw(st.booleans()) and (cursor - moments[0]) < 200_000 else None,
    )
    candles = [candle(moment * MINUTE, chance) for moment in moments]
    known_until = draw(bound) if draw(st.booleans()) else cursor * MINUTE
    return Story(candles, wanted, known_until, draw(st.integers(2, 400)))


def candle(open_time: int, chance: np.random.Generator) -> Candle:
    first, last, up, down = chance.uniform(1, 1000), chance.uniform(1, 1000), *chance.uniform(0, 10, 2)
    volume, share = chance.exponential(50), chance.uniform()
    return Candle(
        open_time,
        open=first,
        high=float(max(first, last) + up),
        low=float(min(first, last) - down),
        close=last,
        volume=volume,
        quote_volume=volume * first,
        trades=int(chance.integers(0, 5000)),
        taker_buy_volume=share * volume,
        taker_buy_quote_volume=share * volume * last,
    )


def expected(story: Story) -> pandas.DataFrame:
    """The wanted candles as pandas makes them of all minutes, holes included until they are dropped."""
    names = ("open_time", "open", "high", "low", "close", *SUMS)
    minutes = pandas.DataFrame({name: [getattr(one, name) for one in story.candles] for name in names})
    minutes.index = pandas.to_datetime(minutes.pop("open_time"), unit="ms")
    origin = {"origin": "epoch"} if story.wanted.interval.name not in ("1w", "1M") else {}
    rule = RULES[story.wanted.interval.name]
    groups = minutes.resample(rule, label="left", closed="left", **origin)
    prices = {"open": "first", "high": "max", "low": "min", "close": "last"}
    found = groups.agg({**prices, **dict.fromkeys(SUMS, "sum")})
    found["minutes"] = groups.size()
    found["filled"] = found["minutes"] == 0
    found["close"] = found["close"].ffill()
    for name in ("open", "high", "low"):
        found[name] = found[name].fillna(found["close"])
    return chosen(found, story)


def chosen(found: pandas.DataFrame, story: Story) -> pandas.DataFrame:
    """The rows that are asked for."""
    wanted = story.wanted
    if wanted.fill is None:
        found = found[~found["filled"]]
    window = wanted.window
    inside = (open_times(found) >= window.start) & (open_times(found) < window.end)
    if not wanted.forming and wanted.interval.name != "1m":
        following = found.index + pandas.tseries.frequencies.to_offset(RULES[wanted.interval.name])
        inside &= following.astype("M8[ms]").astype(np.int64).to_numpy() <= story.known_until
    found = found[inside]
    if wanted.limit is None:
        return found
    return found.tail(wanted.limit) if wanted.newest else found.head(wanted.limit)


def open_times(found: pandas.DataFrame) -> Any:
    return found.index.astype("M8[ms]").astype(np.int64).to_numpy()


async def check(store: CandleStore, series: Series, story: Story) -> None:
    """Both ways of reading give what pandas gives."""
    await store.create(series)
    await store.write(series, story.candles)
    small: Any = Small(store, story.batch)
    wanted = on_grid(story.wanted, story.known_until)
    forwards = [batch async for batch in read_bars(small, series, wanted)]
    assert_same(forwards, expected(story))
    backwards = [batch async for batch in read_bars_back(small, series, wanted)]
    newest = story._replace(wanted=replace(story.wanted, newest=True))
    assert_same(backwards[::-1], expected(newest))


def assert_same(batches: list[Columns], right: pandas.DataFrame) -> None:
    """Prices are equal, and sums but for the order of adding."""
    assert all(len(batch) for batch in batches)
    if not batches:
        assert right.empty
        return
    found = joined(batches)
    assert found.open_time.tolist() == open_times(right).tolist()
    for name in ("open", "high", "low", "close", "trades"):
        assert getattr(found, name).tolist() == right[name].tolist()
    for name in SUMS:
        np.testing.assert_allclose(getattr(found, name), right[name], rtol=1e-12)
    if found.minutes is not None:
        assert found.minutes.tolist() == right["minutes"].tolist()
    marks = np.zeros(len(found), bool) if found.filled is None else found.filled
    assert marks.tolist() == right["filled"].tolist()


@given(stories())
@settings(max_examples=examples(300))
def test_every_interval_read_any_way_is_what_pandas_makes_of_the_minutes(story: Story) -> None:
    asyncio.run(check(MemoryCandles(), BTC, story))


@given(story=stories())
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_so_it_is_on_a_real_database(story: Story, database: Database, io_loop: IOLoop) -> None:
    store = MongoCandles(database, MongoRevisions(database, SystemClock()))
    io_loop.run_sync(lambda: check(store, Series("binance", "spot", f"S{next(NUMBERS)}"), story))


@pytest.mark.parametrize("name", [name for name in INTERVALS if name != "1m"])
async def test_a_long_series_is_cut_into_batches_without_a_seam(database: Database, name: str) -> None:
    chance = np.random.default_rng(7)
    candles = [candle(START + number * MINUTE, chance) for number in range(12_000) if number % 997 > 3]
    wanted = Selection(Window(0, START + 50_000 * MINUTE), INTERVALS[name], forming=True)
    store = MongoCandles(database, MongoRevisions(database, SystemClock()))
    await check(store, BTC, Story(candles, wanted, candles[-1].open_time, 10_000))


@pytest.mark.parametrize("limit", [19_999, 20_001, 24_000])
async def test_more_of_the_newest_than_are_kept_at_once_are_read(database: Database, limit: int) -> None:
    chance = np.random.default_rng(7)
    candles = [candle(START + number * MINUTE, chance) for number in range(25_000)]
    wanted = Selection(Window(0, START + 50_000 * MINUTE), limit=limit, newest=True)
    store = MongoCandles(database, MongoRevisions(database, SystemClock()))
    await check(store, BTC, Story(candles, wanted, candles[-1].open_time, 10_000))


async def test_a_sum_is_absent_when_a_minute_does_not_have_it() -> None:
    bare = Candle(START + MINUTE, 1.0, 1.0, 1.0, 1.0, 2.0)
    store = MemoryCandles()
    await store.write(BTC, [candle(START, np.random.default_rng(1)), bare])
    hour = Selection(Window(START, START + 60 * MINUTE), INTERVALS["1h"])
    (found,) = [batch async for batch in read_bars(store, BTC, hour)]
    assert found.quote_volume is not None
    assert found.trades is not None
    assert np.isnan(found.quote_volume).all()
    assert found.trades.tolist() == [NO_TRADES]


async def test_sums_of_decimals_are_the_decimals_that_people_expect() -> None:
    store = MemoryCandles()
    tenths = [Candle(START + number * MINUTE, 1.0, 1.0, 1.0, 1.0, 0.1) for number in range(1440)]
    await store.write(BTC, tenths)
    for name, volume in (("15m", 1.5), ("1h", 6.0), ("1d", 144.0)):
        wanted = Selection(Window(START, START + MINUTE), INTERVALS[name])
        (found,) = [batch async for batch in read_bars(store, BTC, on_grid(wanted, START + 1440 * MINUTE))]
        assert found.volume.tolist() == [volume]


async def test_a_window_inside_a_hole_is_filled_from_the_candle_before_it() -> None:
    store = MemoryCandles()
    chance = np.random.default_rng(1)
    first, last = candle(START, chance), candle(START + 1000 * MINUTE, chance)
    await store.write(BTC, [first, last])
    window = Window(START + 10 * MINUTE, START + 13 * MINUTE)
    (found,) = [batch async for batch in read_bars(store, BTC, Selection(window, fill="previous"))]
    assert found.open_time.tolist() == [START + number * MINUTE for number in (10, 11, 12)]
    assert found.open.tolist() == found.high.tolist() == found.low.tolist() == [first.close] * 3
    assert found.close.tolist() == [first.close] * 3
    assert found.volume.tolist() == [0.0] * 3
    assert found.filled is not None
    assert found.filled.all()


async def test_nothing_is_filled_after_the_last_candle_or_before_the_first() -> None:
    store = MemoryCandles()
    only = candle(START, np.random.default_rng(1))
    await store.write(BTC, [only])
    window = Window(START - 10 * MINUTE, START + 10 * MINUTE)
    (found,) = [batch async for batch in read_bars(store, BTC, Selection(window, fill="previous"))]
    assert candles_of(found) == [only]
    after = Selection(Window(START + MINUTE, START + 10 * MINUTE), fill="previous")
    assert [batch async for batch in read_bars(store, BTC, after)] == []
