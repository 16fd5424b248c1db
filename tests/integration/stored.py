"""What is in the database, read with the plain driver and compared with what the exchange has."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient

from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.store.market.coverage import MongoCoverage
from backend.store.mongo import Database

SERIES = Series("binance", "spot", "BTCUSDT")
FIELDS = (
    *("_id", "open", "high", "low", "close", "volume", "quote_volume", "trades"),
    *("taker_buy_volume", "taker_buy_quote_volume"),
)


def stored_documents(uri: str, database: str, name: str = SERIES.name) -> list[dict[str, Any]]:
    """All documents of a series, ascending."""
    with MongoClient[dict[str, Any]](uri) as client:
        return list(client[database][name].find().sort("_id", 1))


def stored_rows(uri: str, database: str, name: str = SERIES.name) -> list[tuple[Any, ...]]:
    """All candles of a series, ascending, in the shape of the simulator's history."""
    return [tuple(document[field] for field in FIELDS) for document in stored_documents(uri, database, name)]


async def held_minutes(database: Database, series: Series = SERIES) -> set[int]:
    """The open times that the ledger claims."""
    coverage = await MongoCoverage(database).load(series)
    return minutes_of(coverage)


def minutes_of(coverage: Coverage) -> set[int]:
    minutes = {minute for window in coverage.held for minute in range(window.start, window.end, 60_000)}
    assert len(minutes) == coverage.held.count()
    return minutes
