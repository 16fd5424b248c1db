"""Candles put into the store and the ledger for tests of what is read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from backend.clock import SystemClock
from backend.core.candles import Candle, held_by
from backend.core.coverage import Coverage, void_before_listing, void_without_data
from backend.core.minutes import NO_MINUTES
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database
from tests.syncing import save_ledger

SERIES = Series("binance", "spot", "BTCUSDT")
START = 1_748_736_000_000
"""2025-06-01T00:00:00Z, a Sunday."""


def candle(number: int, **fields: float | None) -> Candle:
    """The candle of the minute `number` after START; no two look alike."""
    price = 100.0 + number / 8
    known = {"quote_volume": 350.25 + number, "taker_buy_volume": 1.5, "taker_buy_quote_volume": 150.0}
    return Candle(
        START + number * MINUTE,
        open=price,
        high=price + 2.125,
        low=price - 2,
        close=price + 1,
        volume=3.5 + number,
        trades=None if "trades" in fields else 7 + number,
        **{name: fields.get(name, value) for name, value in known.items()},
    )


def candle_store(database: Database) -> MongoCandles:
    return MongoCandles(database, MongoRevisions(database, SystemClock()))


async def store(database: Database, candles: Sequence[Candle], series: Series = SERIES) -> None:
    """Store candles as a sync would, which found their holes empty and asked up to the last one."""
    store = candle_store(database)
    await store.create(series)
    await store.write(series, candles)
    held = held_by(candles)
    end = held[-1].end
    voids = [void_before_listing(held[0].start, end)]
    voids += [void_without_data(Window(before.end, after.start), end) for before, after in pairwise(held)]
    known = Coverage(held[0].start, NO_MINUTES, (), end).with_held(held).with_voids(voids)
    await save_ledger(MongoCoverage(database), series, known)
