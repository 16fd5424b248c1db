"""Notices, in collection `notices`, one document each; they go after thirty days.

{"_id": "order_unknown/i3f../1988888", "topic": .., "about": .., "said": .., "time": .., "at": <date>,
 "left": ["telegram"], "count": 1, "tries": 0, "due": ..}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.errors import DuplicateKeyError

from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.trading.notice import Notice, Topic

COLLECTION = "notices"
KEPT_SECONDS = 30 * 86_400


class MongoNotices:
    """Fits `services.notices.ports.NoticeStore`."""

    def __init__(self, database: Database) -> None:
        self._notices = database[COLLECTION]
        self._readable = Readable(COLLECTION, _notice)
        self._indexed = False

    async def add(self, notice: Notice) -> bool:
        """Keep a new one; False if it is there: then it counts that."""
        document = {
            "_id": notice.id,
            "topic": notice.topic.value,
            "about": notice.about,
            "said": notice.said,
            "time": notice.time,
            "at": datetime.fromtimestamp(notice.time / 1000, UTC),
            "left": list(notice.left),
            "count": 1,
            "tries": 0,
            "due": notice.due,
        }
        with guard("keep a notice"):
            await self._index()
            try:
                await self._notices.insert_one(document)
            except DuplicateKeyError:
                await self._notices.update_one({"_id": notice.id}, {"$inc": {"count": 1}})
                return False
        return True

    async def due(self, now: int, limit: int) -> Sequence[Notice]:
        """Those that somebody does not have yet, and whose time has come."""
        with guard("look for notices"):
            await self._index()
            cursor = self._notices.find({"left.0": {"$exists": True}, "due": {"$lte": now}})
            return list(self._readable(await cursor.sort("due", 1).limit(limit).to_list(None)))

    async def claim(self, notice: Notice, due: int) -> bool:
        """Postpone one, and count a try; False if another process has done so."""
        with guard("claim a notice"):
            result = await self._notices.update_one(
                {"_id": notice.id, "due": notice.due}, {"$set": {"due": due}, "$inc": {"tries": 1}}
            )
        return result.modified_count == 1

    async def delivered(self, notice: Notice, target: str) -> None:
        """A target has it."""
        with guard("write down that a notice was delivered"):
            await self._notices.update_one({"_id": notice.id}, {"$pull": {"left": target}})

    async def give_up(self, notice: Notice) -> None:
        """Nobody gets it any more."""
        with guard("give a notice up"):
            await self._notices.update_one({"_id": notice.id}, {"$set": {"left": []}})

    async def _index(self) -> None:
        if not self._indexed:
            await self._notices.create_index("due")
            await self._notices.create_index("at", expireAfterSeconds=KEPT_SECONDS)
            self._indexed = True


def _notice(document: Document) -> Notice:
    return Notice(
        id=document["_id"],
        topic=Topic(document["topic"]),
        about=document["about"],
        said=document["said"],
        time=document["time"],
        left=tuple(document["left"]),
        count=document["count"],
        tries=document["tries"],
        due=document["due"],
    )
