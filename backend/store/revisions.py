"""Revisions in MongoDB: stored candles that an exchange later told differently. Collection `revisions`.

{"series": "binance.spot.BTCUSDT", "open_time": 1619136000000, "at": 1750000000000,
 "before": {"open": .., "close": .., ...}, "after": {...}, "pending": true}

A revision is recorded before the candle is replaced, and `pending` until it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.clock import Clock
from backend.core.coverage import Window
from backend.core.series import Series
from backend.services.ports import Revision, RevisionState
from backend.store.mongo import Database, Document, guard, settled

COLLECTION = "revisions"
NEWEST = {"newest": "_id", "at": "at", "pending": "pending"}


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
                    "pending": True,
                }
                for before, after in changes
            ]
        )

    async def settle(self, series: Series, changed: Sequence[Document]) -> None:
        """The candles have been replaced: their revisions are pending no longer."""
        if changed:
            open_times = [document["_id"] for document in changed]
            pending = {"series": series.name, "open_time": {"$in": open_times}, "pending": True}
            await self._collection.update_many(pending, {"$unset": {"pending": True}})

    async def state(self, series: Series, window: Window) -> RevisionState:
        """What tells whether candles that open in `window` were replaced since the last look."""
        newest = {name: {"$max": f"${field}"} for name, field in NEWEST.items()}
        stages = [
            {"$match": _within(series, window)},
            {"$group": {"_id": None, "number": {"$sum": 1}, **newest}},
        ]
        with guard(f"read the revisions of {series.name}"):
            found = await (await settled(self._collection.aggregate(stages))).to_list(None)
        if not found:
            return RevisionState()
        return RevisionState(
            int(found[0]["number"]), str(found[0]["newest"]), int(found[0]["at"]), bool(found[0]["pending"])
        )

    async def count(self, series: Series, window: Window | None = None) -> int:
        """How many revisions a series has, or has of the candles that open in `window`."""
        wanted = _within(series, window) if window else {"series": series.name}
        with guard(f"count the revisions of {series.name}"):
            return await self._collection.count_documents(wanted)

    async def page(self, series: Series, window: Window, limit: int) -> list[Revision]:
        """The first `limit` revisions of candles that open in `window`, ascending by open time."""
        wanted = _within(series, window)
        with guard(f"read the revisions of {series.name}"):
            cursor = self._collection.find(wanted).sort([("open_time", 1), ("_id", 1)]).limit(limit)
            return [
                Revision(int(found["open_time"]), int(found["at"]), found["before"], found["after"])
                for found in await cursor.to_list(None)
            ]

    async def remove(self, series: Series, window: Window) -> None:
        """Forget the revisions of candles that open in `window`."""
        with guard(f"delete revisions of {series.name}"):
            await self._collection.delete_many(_within(series, window))


def _within(series: Series, window: Window) -> Document:
    return {"series": series.name, "open_time": {"$gte": window.start, "$lt": window.end}}


def _values(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "_id"}
