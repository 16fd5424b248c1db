"""The coverage ledger in MongoDB: collection `coverage`, one document a series, written durably.

{"_id": "binance.spot.BTCUSDT", "exchange": "binance", "market": "spot", "symbol": "BTCUSDT",
 "version": 7, "since": 1748736000000, "until": .., "held": [[start, end], ...],
 "void": [{"start": .., "end": .., "reason": "no_data", "confirmed": .., "ask_again": ..}, ...]}
"""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from backend.core.coverage import Coverage, Void, Window
from backend.core.series import Series
from backend.services.ports import Entry
from backend.store.mongo import Database, Document, guard

COLLECTION = "coverage"


class MongoCoverage:
    """Fits `services.ports.CoverageStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]

    async def load(self, series: Series) -> Entry:
        """What is known of `series`; nothing, at version 0, if it was never synced."""
        with guard(f"read the ledger of {series.name}"):
            document = await self._collection.find_one({"_id": series.name})
        return _entry(document) if document else Entry(Coverage(), 0)

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        """The symbols of a market of which at least one candle is held."""
        wanted = {"exchange": exchange, "market": market, "held.0": {"$exists": True}}
        with guard("list the stored series"):
            found = await self._collection.find(wanted, {"symbol": 1}).to_list(None)
        return {document["symbol"] for document in found}

    async def save(self, series: Series, coverage: Coverage, version: int) -> bool:
        """Replace what was loaded as `version`; False if somebody else saved in between."""
        document = _document(series, coverage, version + 1)
        with guard(f"write the ledger of {series.name}"):
            if version:
                result = await self._collection.replace_one(
                    {"_id": series.name, "version": version}, document
                )
                return result.matched_count == 1
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                return False
        return True


def _document(series: Series, coverage: Coverage, version: int) -> Document:
    return {
        "_id": series.name,
        "exchange": series.exchange,
        "market": series.market,
        "symbol": series.symbol,
        "version": version,
        "since": coverage.since,
        "until": coverage.until,
        "held": [list(window) for window in coverage.held],
        "void": [
            {
                "start": void.window.start,
                "end": void.window.end,
                "reason": void.reason,
                "confirmed": void.confirmed,
                "ask_again": void.ask_again,
            }
            for void in coverage.voids
        ],
    }


def _entry(document: Document) -> Entry:
    voids = tuple(
        Void(Window(void["start"], void["end"]), void["reason"], void["confirmed"], void["ask_again"])
        for void in document["void"]
    )
    held = tuple(Window(start, end) for start, end in document["held"])
    return Entry(Coverage(document["since"], held, voids, document.get("until")), document["version"])
