"""What is followed, in collection `follows`, one document a series.

{"_id": "binance.spot.BTCUSDT", "exchange": "binance", "market": "spot", "symbol": "BTCUSDT",
 "since": 1748736000000, "created": .., "checked": .., "failures": 0,
 "failure": {"code": .., "message": ..}, "new_candles": 1500, "healed": 0,
 "source": "socket", "reconnects": 2, "ended": false}
"""

from __future__ import annotations

from collections.abc import Collection

from backend.core.follow import Follow, Source, Visit
from backend.core.job import Failure
from backend.core.series import Series
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable

COLLECTION = "follows"


class MongoFollows:
    """Fits `services.ports.FollowStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _follow)

    async def add(self, follow: Follow) -> None:
        """Keep a follow. If it exists already, only `since` changes, if the new follow has one."""
        series = follow.series
        fresh: Document = {
            "exchange": series.exchange,
            "market": series.market,
            "symbol": series.symbol,
            "created": follow.created,
            "checked": None,
            "failures": 0,
            "failure": None,
            "new_candles": 0,
            "healed": 0,
            "source": "rest",
            "reconnects": 0,
            "ended": False,
        }
        change = {"$setOnInsert": fresh | ({"since": None} if follow.since is None else {})}
        if follow.since is not None:
            change["$set"] = {"since": follow.since}
        with guard(f"follow {series.name}"):
            await self._collection.update_one({"_id": series.name}, change, upsert=True)

    async def all(self) -> list[Follow]:
        """Everything that is followed, by name."""
        with guard("read what is followed"):
            documents = await self._collection.find({}).sort("_id", 1).to_list(None)
        return list(self._readable(documents))

    async def page(self, start: str, limit: int) -> list[Follow]:
        """The first `limit` follows of series whose names are `start` or later, by name."""
        with guard("read what is followed"):
            cursor = self._collection.find({"_id": {"$gte": start}}).sort("_id", 1).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def has(self, series: Series) -> bool:
        """Whether `series` is followed."""
        with guard(f"see whether {series.name} is followed"):
            return await self._collection.find_one({"_id": series.name}, {"_id": 1}) is not None

    async def remove(self, series: Series) -> bool:
        """Follow `series` no longer; False if it was not followed."""
        with guard(f"unfollow {series.name}"):
            result = await self._collection.delete_one({"_id": series.name})
        return result.deleted_count == 1

    async def report(self, series: Series, visit: Visit) -> None:
        """Store the result of a visit, if the series is still followed."""
        change: Document = {"$inc": {"new_candles": visit.new_candles, "healed": visit.healed}}
        if visit.failure:
            change["$inc"]["failures"] = 1
            change["$set"] = {"failure": {"code": visit.failure.code, "message": visit.failure.message}}
        elif visit.whole:
            change["$set"] = {"checked": visit.at, "failures": 0, "failure": None, "ended": visit.ended}
        with guard(f"write down how {series.name} is followed"):
            await self._collection.update_one({"_id": series.name}, change)

    async def told(self, series: Collection[Series], source: Source, lost: bool) -> None:
        """Store the source of the newest candles of `series`, and whether a socket was lost. Series without a
        follow are ignored."""
        change: Document = {"$set": {"source": source}}
        if lost:
            change["$inc"] = {"reconnects": 1}
        with guard("write down where newest candles come from"):
            await self._collection.update_many({"_id": {"$in": [one.name for one in series]}}, change)


def _follow(document: Document) -> Follow:
    failure = document["failure"]
    return Follow(
        Series(document["exchange"], document["market"], document["symbol"]),
        document["since"],
        document["created"],
        document["checked"],
        document["failures"],
        None if failure is None else Failure(failure["code"], failure["message"]),
        document["new_candles"],
        document["healed"],
        document.get("source", "rest"),
        document.get("reconnects", 0),
        document.get("ended", False),
    )
