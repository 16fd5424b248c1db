"""TWAP orders, in collection `twaps`, one document each, as `trading/twap.py` has them.

{"_id": "3f..", "account": "9f3b2c1d0a7e4d55", "running": true, "due": .., "started": .., "next": 3,
 "twap": {..}}

A change looks for the number of the next slice that its writer saw: of two processes one goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.twap import Twap

COLLECTION = "twaps"


class MongoTwaps:
    """Fits `services.orders.ports.TwapStore`."""

    def __init__(self, database: Database) -> None:
        self._twaps = database[COLLECTION]
        self._readable = Readable(COLLECTION, _twap)
        self._indexed = False

    async def add(self, twap: Twap) -> None:
        """Store a new one."""
        with guard("write a TWAP order down"):
            await self._index()
            await self._twaps.insert_one(_document(twap))

    async def load(self, twap_id: str) -> Twap | None:
        """One of them; None if there is none."""
        with guard("read a TWAP order"):
            document = await self._twaps.find_one({"_id": twap_id})
        return _twap(document) if document else None

    async def due(self, now: int) -> Sequence[Twap]:
        """Running ones whose next slice is due, the oldest first."""
        return await self._find({"running": True, "due": {"$lte": now}}, [("due", 1)], 0)

    async def newest(self, account: str, limit: int) -> Sequence[Twap]:
        """Those of an account, newest first."""
        return await self._find({"account": account}, [("started", -1), ("_id", -1)], limit)

    async def change(self, twap: Twap, after: Twap) -> bool:
        """Put a new state in place of exactly this one; False if it has changed."""
        with guard("write down how far a TWAP order is"):
            result = await self._twaps.replace_one(
                {"_id": twap.id, "running": True, "next": twap.next}, _document(after)
            )
        return result.modified_count == 1

    async def _find(self, wanted: Document, order: list[tuple[str, int]], limit: int) -> Sequence[Twap]:
        with guard("list TWAP orders"):
            cursor = self._twaps.find(wanted).sort(order).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def _index(self) -> None:
        if not self._indexed:
            await self._twaps.create_index([("running", 1), ("due", 1)])
            await self._twaps.create_index([("account", 1), ("started", -1)])
            self._indexed = True


def _document(twap: Twap) -> Document:
    aside = {
        "account": twap.account,
        "running": twap.status == "running",
        "due": twap.due,
        "started": twap.started,
        "next": twap.next,
    }
    return {"_id": twap.id, **aside, "twap": stored(twap)}


def _twap(document: Document) -> Twap:
    return restored(Twap, document["twap"])
