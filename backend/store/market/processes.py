"""The processes that share the database, in collection `processes`; dated by the database's clock.

{"_id": "host/3f0c..-..9d/4026531836:1234:9f3b2c1d", "egress": "", "weight": 1.0, "works": true,
 "trades": false, "until": <date>, "tried": <date>}

`tried` is when `store/database_check.py` last wrote it.
"""

from __future__ import annotations

from backend.services.ports import Member
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable

COLLECTION = "processes"


class MongoFleet:
    """Fits `services.ports.FleetStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _member)

    async def beat(self, member: Member, seconds: float) -> list[Member]:
        """Announce `member` for the next `seconds`, and return all living members."""
        here = {
            "egress": member.egress,
            "weight": member.weight,
            "works": member.works,
            "trades": member.trades,
        }
        until = {"$add": ["$$NOW", int(seconds * 1000)]}
        with guard("say that this process is there"):
            await self._collection.update_one(
                {"_id": member.name}, [{"$set": here | {"until": until}}], upsert=True
            )
            await self._collection.delete_many({"$expr": {"$lte": ["$until", "$$NOW"]}})
            documents = await self._collection.find({}).to_list(None)
        return list(self._readable(documents))

    async def present(self) -> list[Member]:
        """Who is there, by name."""
        with guard("see which processes there are"):
            there = self._collection.find({"$expr": {"$gt": ["$until", "$$NOW"]}}).sort("_id", 1)
            return list(self._readable(await there.to_list(None)))

    async def leave(self, member: Member) -> None:
        """Forget `member`."""
        with guard("say that this process goes"):
            await self._collection.delete_one({"_id": member.name})


def _member(document: Document) -> Member:
    return Member(
        name=document["_id"],
        egress=document["egress"],
        weight=float(document["weight"]),
        works=document["works"],
        # A process of an earlier version does not say so.
        trades=document.get("trades", False),
    )
