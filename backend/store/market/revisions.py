"""Revisions in MongoDB: stored candles that an exchange changed later. Collection `revisions`.

{"series": "binance.spot.BTCUSDT", "open_time": 1619136000000, "at": 1750000000000,
 "before": {"open": .., "close": .., ...}, "after": {...}, "pending": true}

A revision is recorded before the candle is replaced, and is `pending` until then. After a crash it can stay
pending. The next reader or writer of the range compares it with the candle: it settles the revision if the
candle has the new values, and drops it if not.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from backend.clock import Clock
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.ports import Revision, RevisionState
from backend.store.mongo import Database, Document, guard, settled

COLLECTION = "revisions"
ABANDONED_MS = 600_000
"""After this time nobody can still be replacing the candle of a revision, because DATABASE_TIMEOUT is
over."""

ALL = Window(0, 2**53)
PENDING: Document = {"pending": True}
SETTLED: Document = {"pending": None}
NEWEST = {"newest": "_id", "at": "at", "pending": "pending"}


class MongoRevisions:
    """Fits `services.ports.RevisionStore`; `clock` says when a change was noticed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._collection = database[COLLECTION]
        self._clock = clock

    async def record(self, series: Series, changes: Sequence[tuple[Document, Document]]) -> list[Document]:
        """Remember candle documents before and after, ascending; what to settle when they are replaced.

        Nobody else writes the range. So a pending revision there is from a crash, and its change will not
        come.
        """
        if not changes:
            return []
        at = self._clock.now()
        await self._collection.create_index([("series", 1), ("open_time", 1)])
        await self._mend(series, Window(changes[0][0]["_id"], changes[-1][0]["_id"] + 1), ALL.end)
        recorded = [
            {
                "_id": ObjectId(),
                "series": series.name,
                "open_time": before["_id"],
                "at": at,
                "before": _values(before),
                "after": _values(after),
                "pending": True,
            }
            for before, after in changes
        ]
        await self._collection.insert_many(recorded)
        return recorded

    async def settle(self, recorded: Sequence[Document]) -> None:
        """The candles are replaced. A revision that was dropped as abandoned meanwhile is restored."""
        if recorded:
            await self._collection.bulk_write([_settled(revision) for revision in recorded], ordered=False)

    async def state(self, series: Series, window: Window) -> RevisionState:
        """The state that changes whenever a candle in `window` is replaced."""
        with guard(f"read the revisions of {series.name}"):
            state = await self._state(series, window)
            if not state.pending:
                return state
            await self._mend_in_passing(series, window)
            return await self._state(series, window)

    async def states(self, series: Series, window: Window, step: int) -> dict[int, RevisionState]:
        """The same for each `step` ms of time that has revisions, by its number since the epoch."""
        with guard(f"read the revisions of {series.name}"):
            states = await self._states(series, window, step)
            if not any(state.pending for state in states.values()):
                return states
            await self._mend_in_passing(series, window)
            return await self._states(series, window, step)

    async def count(self, series: Series, window: Window | None = None) -> int:
        """How many revisions a series has, or has of the candles that open in `window`."""
        within = window or ALL
        with guard(f"count the revisions of {series.name}"):
            await self._mend_in_passing(series, within)
            return await self._collection.count_documents(_within(series, within) | SETTLED)

    async def page(self, series: Series, window: Window, limit: int) -> list[Revision]:
        """The first `limit` revisions of candles that open in `window`, ascending by open time."""
        with guard(f"read the revisions of {series.name}"):
            await self._mend_in_passing(series, window)
            wanted = _within(series, window) | SETTLED
            cursor = self._collection.find(wanted).sort([("open_time", 1), ("_id", 1)]).limit(limit)
            return [
                Revision(
                    int(document["open_time"]), int(document["at"]), document["before"], document["after"]
                )
                for document in await cursor.to_list(None)
            ]

    async def remove(self, series: Series, window: Window) -> None:
        """Forget the revisions of candles that open in `window`."""
        with guard(f"delete revisions of {series.name}"):
            await self._collection.delete_many(_within(series, window))

    async def _state(self, series: Series, window: Window) -> RevisionState:
        groups = await self._grouped(series, window, None)
        return _state_of(groups[0]) if groups else RevisionState()

    async def _states(self, series: Series, window: Window, step: int) -> dict[int, RevisionState]:
        part = {"$subtract": ["$open_time", {"$mod": ["$open_time", step]}]}
        groups = await self._grouped(series, window, part)
        return {int(group["_id"]) // step: _state_of(group) for group in groups}

    async def _grouped(self, series: Series, window: Window, by: Document | None) -> list[Document]:
        newest = {name: {"$max": f"${field}"} for name, field in NEWEST.items()}
        stages = [
            {"$match": _within(series, window)},
            {"$group": {"_id": by, "number": {"$sum": 1}, **newest}},
        ]
        groups: list[Document] = await (await settled(self._collection.aggregate(stages))).to_list(None)
        return groups

    async def _mend_in_passing(self, series: Series, window: Window) -> None:
        """If the database is full or read-only, reading continues and the revisions stay pending."""
        with suppress(OperationFailure):
            await self._mend(series, window, self._clock.now() - ABANDONED_MS)

    async def _mend(self, series: Series, window: Window, abandoned: int) -> None:
        """Settle pending revisions that took place; drop those recorded before `abandoned` that did not."""
        pending = await self._collection.find(_within(series, window) | PENDING).to_list(None)
        if not pending:
            return
        minutes = {"_id": {"$in": [revision["open_time"] for revision in pending]}}
        stored = await self._database[series.name].find(minutes).to_list(None)
        candles = {candle["_id"]: _values(candle) for candle in stored}
        happened = {one["_id"] for one in pending if candles.get(one["open_time"]) == one["after"]}
        await self._collection.update_many({"_id": {"$in": [*happened]}}, {"$unset": PENDING})
        dropped = [one["_id"] for one in pending if one["_id"] not in happened and one["at"] < abandoned]
        await self._collection.delete_many({"_id": {"$in": dropped}} | PENDING)


def _state_of(group: Document) -> RevisionState:
    return RevisionState(int(group["number"]), str(group["newest"]), int(group["at"]), bool(group["pending"]))


def _within(series: Series, window: Window) -> Document:
    return {"series": series.name, "open_time": {"$gte": window.start, "$lt": window.end}}


def _settled(revision: Document) -> UpdateOne:
    facts = {name: value for name, value in revision.items() if name not in ("_id", "pending")}
    return UpdateOne({"_id": revision["_id"]}, {"$set": facts, "$unset": PENDING}, upsert=True)


def _values(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "_id"}
