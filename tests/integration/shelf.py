"""A store that was filled by hand: three days of every market, with a hole of each kind, and what bots should
read from it, worked out in plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import groupby, product
from typing import NamedTuple

from backend.clock import SystemClock
from backend.core.candles import Candle, held_by
from backend.core.coverage import Coverage, void_before_listing, void_without_data
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database
from tests.fakes import START, minutes
from tests.syncing import save_ledger

DAY = 1440
LISTED = 90
"""The exchange's first candle opens so many minutes after START."""

VOID = minutes(2000, 2037)
"""What the exchange does not have."""

MISSING = minutes(3100, 3400)
"""What was never fetched."""

END = 3 * DAY - 17
"""The minute after the last one that was asked for: inside an hour, inside a day."""

STEPS = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": DAY}
MARKETS = list(product(("binance", "bitget", "bingx"), ("spot", "perpetual")))


class Shelf(NamedTuple):
    series: Series
    candles: list[Candle]
    known: Coverage


def shelf(series: Series) -> Shelf:
    """What is held of a series, and what its ledger says."""
    candles = [candle for candle in walk(series.name) if not is_hole(candle.open_time)]
    known = (
        Coverage()
        .asked(minutes(0, END))
        .with_held(held_by(candles))
        .with_voids([void_before_listing(minutes(LISTED, END).start, START), void_without_data(VOID, START)])
    )
    return Shelf(series, candles, known)


def is_hole(moment: int) -> bool:
    return any(hole.start <= moment < hole.end for hole in (VOID, MISSING))


def walk(seed: str) -> Iterable[Candle]:
    """A price that wanders about, another one for each seed."""
    dice = random.Random(seed)
    price = dice.uniform(0.00001, 1) if seed.endswith("SHIBUSDT") else dice.uniform(100, 50_000)
    for moment in range(*minutes(LISTED, END), MINUTE):
        opened, price = price, price * dice.uniform(0.999, 1.001)
        volume = round(dice.uniform(0, 50), 5)
        yield Candle(
            moment,
            round(opened, 8),
            round(max(opened, price) * 1.0005, 8),
            round(min(opened, price) * 0.9995, 8),
            round(price, 8),
            volume,
            round(volume * price, 6),
            dice.randrange(500),
            round(volume / 3, 5),
            round(volume * price / 3, 6),
        )


async def fill(database: Database, shelves: Iterable[Shelf]) -> None:
    """Put it into the database."""
    store = MongoCandles(database, MongoRevisions(database, SystemClock()))
    for series, candles, known in shelves:
        await store.create(series)
        await store.write(series, candles)
        await save_ledger(MongoCoverage(database), series, known)


def bars(found: Shelf, interval: str) -> list[tuple[float, ...]]:
    """All whole candles of an interval: open time, open, high, low, close, volume."""
    step = STEPS[interval] * MINUTE
    groups = groupby(found.candles, key=lambda candle: candle.open_time - candle.open_time % step)
    return [
        _bar(start, list(group))
        for start, group in groups
        if not found.known.missing(Window(start, start + step), 0)
    ]


def _bar(start: int, group: list[Candle]) -> tuple[float, ...]:
    high, low = max(candle.high for candle in group), min(candle.low for candle in group)
    return start, group[0].open, high, low, group[-1].close, sum(candle.volume for candle in group)
