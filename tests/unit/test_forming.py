"""Candles that run: against plain adding over random holes, and what is told of them when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import fsum, isnan
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.candles import Candle
from backend.core.columns import Columns
from backend.core.coverage import Coverage, void_before_listing, void_without_data
from backend.core.cursors import Cursors
from backend.core.interval import INTERVALS, ONE_MINUTE, Interval
from backend.core.minutes import NO_MINUTES
from backend.core.pushed import PushedCandles
from backend.core.windows import MINUTE, Window
from backend.services.following.pushed_candles import LiveCandles
from backend.services.streaming.forming import MOST_UNSURE, FormingCandles
from backend.services.streaming.ledger_watch import LedgerWatch
from tests.examples import examples
from tests.fakes import BTC, START, FakeClock, MemoryCandles, MemoryCoverage, candle, minute, minutes

SUMS = ("volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")
FIELDS = ("open_time", "open", "high", "low", "close", "minutes", *SUMS)
NOTHING_TOLD = Cursors((0,))

Told = dict[str, Any]


class Scene:
    """A listener of one series, what is stored of it, and what sockets tell of it."""

    def __init__(self, interval: Interval = ONE_MINUTE) -> None:
        clock = FakeClock()
        self.candles = MemoryCandles()
        self.live = LiveCandles({}, clock)
        self.ledger_watch = LedgerWatch(MemoryCoverage(), clock)
        self.known = Coverage(START, NO_MINUTES, (void_before_listing(START, START),), minute(10_000))
        self.listener = FormingCandles(
            candles=self.candles,
            ledger_watch=self.ledger_watch,
            live=self.live,
            interval=interval,
            series=[BTC],
        )

    async def store(self, *candles: Candle) -> None:
        await self.candles.write(BTC, candles)
        self.known = self.known.with_held(Window(one.open_time, one.open_time + MINUTE) for one in candles)

    def lack(self, number: int, *, believed: bool = True) -> None:
        asked = minute(number + 2) if believed else minute(number + 1)
        self.known = self.known.with_voids([void_without_data(minutes(number, number + 1), asked)])

    def tell(self, candle: Candle, *, closed: bool = False) -> None:
        self.live.told(BTC, candle, closed=closed)

    async def changed(self, cursors: Cursors = NOTHING_TOLD) -> list[Told]:
        self.ledger_watch.known = {BTC: self.known}
        return [as_told(columns) async for _, columns in self.listener.changed(cursors)]


def as_told(columns: Columns) -> Told:
    assert len(columns) == 1
    found = {name: getattr(columns, name) for name in FIELDS}
    return {name: column[0].item() for name, column in found.items() if column is not None}


def plain(candles: list[Candle], interval: Interval) -> Told:
    """The candle that these minutes of one bucket make."""
    sums = {name: fsum(getattr(one, name) for one in candles) for name in SUMS}
    return {
        "open_time": interval.start(candles[0].open_time),
        "open": candles[0].open,
        "high": max(one.high for one in candles),
        "low": min(one.low for one in candles),
        "close": candles[-1].close,
        "minutes": len(candles),
        **sums,
    }


def expected(scene: Scene, tape: PushedCandles, interval: Interval) -> Told | None:
    """What is known of the bucket that runs, minute by minute; None where one is missing, or none runs."""
    stored = {one.open_time: one for one in scene.candles.stored()}
    told = {one.open_time: one for one in (*tape.ended, tape.forming) if one}
    void = {
        moment
        for void in scene.known.void_windows(Window(0, minute(1_000_000)))
        if void.reason == "no_data" and void.confirmed >= void.window.end + MINUTE
        for moment in range(*void.window, MINUTE)
    }
    if not told:
        return None
    newest = max(*stored, *told, 0)
    start = interval.start(newest)
    is_running = tape.forming is not None and tape.forming.open_time == newest and newest not in stored
    if newest + MINUTE == interval.following(start) and not is_running:
        return None
    wanted = [moment for moment in range(start, newest + MINUTE, MINUTE) if moment in stored | told.keys()]
    gone = set(range(start, newest + MINUTE, MINUTE)) - set(wanted) - void
    wanted = [moment for moment in wanted if moment in stored or moment not in void]
    if gone or not wanted:
        return None
    return plain([stored.get(moment) or told[moment] for moment in wanted], interval)


steps = st.tuples(
    st.sampled_from(["tell", "tell", "tell", "close", "store", "store", "skip", "lack", "doubt"]),
    st.integers(0, 5),
    st.integers(0, 40),
)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from([INTERVALS[name] for name in ("1m", "5m", "15m", "1h", "1d")]),
    st.lists(steps, min_size=1, max_size=60),
)
def test_what_is_told_is_the_plain_sum_of_all_minutes_whatever_happened(
    interval: Interval, story: list[tuple[str, int, int]]
) -> None:
    async def play() -> None:
        scene, now, last = Scene(interval), 0, None
        for what, back, value in story:
            number = max(0, now - back)
            made = msgspec.structs.replace(candle(minute(number)), close=100 + value / 8, volume=value / 4)
            is_known = not replace(scene.known, held=NO_MINUTES).missing(
                minutes(number, number + 1), minute(number + 2)
            )
            is_known = is_known or minute(number) in scene.candles.moments()
            if what in ("tell", "close"):
                scene.tell(made, closed=what == "close")
            elif what == "skip":
                now += 1 + back // 4
            elif not is_known and what == "store":
                await scene.store(made)
            elif not is_known:
                scene.lack(number, believed=what == "lack")
            wanted = expected(scene, scene.live.pushed(BTC), interval)
            assert await scene.changed() == ([] if wanted in (None, last) else [wanted])
            last = wanted or last

    asyncio.run(play())


async def test_a_minute_is_told_again_only_when_it_changed() -> None:
    scene = Scene()
    scene.tell(candle(START, close=101.0))
    assert [one["close"] for one in await scene.changed()] == [101.0]
    assert await scene.changed() == []
    scene.tell(candle(START, close=101.0))
    assert await scene.changed() == []
    scene.tell(candle(START, close=101.5))
    assert [one["close"] for one in await scene.changed()] == [101.5]


async def test_nothing_is_told_of_a_minute_that_was_told_as_closed() -> None:
    scene = Scene()
    scene.tell(candle(START))
    assert await scene.changed(Cursors((minute(1),))) == []


@pytest.mark.parametrize("name", ["1m", "5m", "1d"])
async def test_nothing_is_told_of_a_stored_minute(name: str) -> None:
    scene = Scene(INTERVALS[name])
    scene.tell(candle(minute(4)))
    await scene.store(*(candle(minute(number)) for number in range(5)))
    told = await scene.changed()
    assert [one["minutes"] for one in told] == ([5] if name == "1d" else [])


async def test_a_series_that_is_not_heard_any_more_is_not_told() -> None:
    clock = FakeClock()
    live = LiveCandles({}, clock)
    ledger_watch = LedgerWatch(MemoryCoverage(), clock)
    listener = FormingCandles(
        candles=MemoryCandles(), ledger_watch=ledger_watch, live=live, interval=ONE_MINUTE, series=[BTC]
    )
    live.told(BTC, candle(START), closed=False)
    clock.advance(1000)
    assert [one async for one in listener.changed(NOTHING_TOLD)] == []


async def test_stored_minutes_are_read_once() -> None:
    scene = Scene(INTERVALS["1d"])
    await scene.store(*(candle(minute(number)) for number in range(700)))
    scene.tell(candle(minute(700)))
    [first] = await scene.changed()
    scene.candles.rows[BTC] = {}
    scene.tell(candle(minute(700), close=7.0))
    [second] = await scene.changed()
    assert (first["minutes"], second["minutes"], second["close"]) == (701, 701, 7.0)


async def test_a_minute_that_ended_counts_until_it_is_stored_and_a_missing_one_silences() -> None:
    scene = Scene(INTERVALS["5m"])
    await scene.store(candle(minute(0)))
    scene.tell(candle(minute(1), close=50.0))
    scene.tell(candle(minute(2)))
    assert [one["minutes"] for one in await scene.changed()] == [3]
    scene.tell(candle(minute(4)))
    assert await scene.changed() == []
    await scene.store(candle(minute(3)))
    assert [one["minutes"] for one in await scene.changed()] == [5]


async def test_minutes_far_behind_the_first_missing_one_are_not_read_every_second() -> None:
    scene = Scene(INTERVALS["1d"])
    scene.tell(candle(minute(0)))
    await scene.store(*(candle(minute(number)) for number in range(1, MOST_UNSURE)))
    assert [one["minutes"] for one in await scene.changed()] == [MOST_UNSURE]
    await scene.store(candle(minute(MOST_UNSURE)))
    assert await scene.changed() == []
    await scene.store(candle(minute(0)))
    assert [one["minutes"] for one in await scene.changed()] == [MOST_UNSURE + 1]


async def test_sums_of_many_minutes_do_not_drift() -> None:
    scene = Scene(INTERVALS["1d"])
    for number in range(1000):
        await scene.store(msgspec.structs.replace(candle(minute(number)), volume=0.1))
        scene.tell(msgspec.structs.replace(candle(minute(number + 1)), volume=0.1))
        [told] = await scene.changed()
    hours = [*[fsum([0.1] * 60)] * 16, fsum([0.1] * 41)]
    assert told["volume"] == fsum(hours) != sum([0.1] * 1001)


async def test_a_sum_that_one_minute_lacks_is_absent() -> None:
    scene = Scene(INTERVALS["5m"])
    await scene.store(candle(START))
    scene.tell(msgspec.structs.replace(candle(minute(1)), trades=None, quote_volume=None))
    [told] = await scene.changed()
    assert told["trades"] == -1
    assert isnan(told["quote_volume"])
    assert told["volume"] == 3.0
