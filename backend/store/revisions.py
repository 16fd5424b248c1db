"""Revisions in MongoDB: stored candles that an exchange later told differently. Collection `revisions`.

{"series": "binance.spot.BTCUSDT", "open_time": 1619136000000, "at": 1750000000000,
 "before": {"open": .., "close": .., ...}, "after": {...}}
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.clock import Clock
from backend.core.coverage import Window
from backend.core.series import Series
from backend.services.ports import Revision
from backend.store.mongo import Database, Document, guard

COLLECTION = "revisions"


class MongoRevisions:
    """Fits `services.ports.RevisionStore`; `clock` says when a change was noticed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._collection = database[COLLECTION]
        self._clock = clock

    async def record(self, series: Series, changes: Sequence[tuple[Document, Document]]) -> None:
        """Remember candle documents before and after; nothing is sent for no changes."""
        if not changes:
            return
        at = self._clock.now()
        await self._collection.create_index([("series", 1), ("open_time", 1)])
        await self._collection.insert_many(
            [
                {
                    "series": series.name,
                    "open_time": before["_id"],
                    "at": at,
                    "before": _values(before),
                    "after": _values(after),
                }
                for before, after in changes
            ]
        )

    async def count(self, series: Series) -> int:
        """How many revisions a series has."""
        with guard(f"count the revisions of {series.name}"):
            return await self._collection.count_documents({"series": series.name})

    async def page(self, series: Series, window: Window, limit: int) -> list[Revision]:
        """The first `limit` revisions of candles that open in `window`, ascending by open time."""
        wanted = {"series": series.name, "open_time": {"$gte": window.start, "$lt": window.end}}
        with guard(f"read the revisions of {series.name}"):
            cursor = self._collection.find(wanted).sort([("open_time", 1), ("_id", 1)]).limit(limit)
            return [
                Revision(int(found["open_time"]), int(found["at"]), found["before"], found["after"])
                for found in await cursor.to_list(None)
            ]


def _values(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "_id"}
