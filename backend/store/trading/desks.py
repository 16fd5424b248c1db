"""Desks, in collection `desks`, one document an account, as `services/orders/ports.py` has them.

{"_id": "9f3b2c1d0a7e4d55", "version": 12, "halted": false, "done": [1750000000000],
 "entries": [{"id": "i3f..", "product": "perpetual-usdt", "symbol": "BTCUSDT", "side": "buy", "held": "net",
              "value": Decimal128("500"), "overdue": 1750000030000, "unknown": false}]}

Each write is one durable update of one document. `put` looks for the version that its caller decided by, so
that two processes cannot decide by the same state.
"""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from backend.services.orders.ports import Desk, Entry
from backend.store.mongo import Database, Document, guard
from backend.store.trading.rows import restored, stored
from backend.trading.risk import MOST_ENTRIES

COLLECTION = "desks"


class MongoDesks:
    """Fits `services.orders.ports.DeskStore`."""

    def __init__(self, database: Database) -> None:
        self._desks = database[COLLECTION]

    async def load(self, account: str) -> Desk:
        """The desk of an account; an empty one at first."""
        with guard("read a desk"):
            document = await self._desks.find_one({"_id": account})
        return Desk(account=account, version=0) if document is None else _desk(document)

    async def put(self, desk: Desk, entry: Entry) -> bool:
        """Put an entry on exactly this version of the desk."""
        with guard("put an order on the desk"):
            if desk.version == 0:
                first = {"_id": desk.account, "version": 1, "halted": False, "done": []}
                try:
                    await self._desks.insert_one({**first, "entries": [stored(entry)]})
                except DuplicateKeyError:
                    return False
                return True
            result = await self._desks.update_one(
                {"_id": desk.account, "version": desk.version, "entries.id": {"$ne": entry.id}},
                {"$inc": {"version": 1}, "$push": {"entries": stored(entry)}},
            )
        return result.modified_count == 1

    async def mark_unknown(self, account: str, entry_id: str) -> None:
        """Say that nobody waits for the answer of an entry any longer."""
        with guard("mark an order on the desk"):
            await self._desks.update_one(
                {"_id": account, "entries.id": entry_id},
                {"$inc": {"version": 1}, "$set": {"entries.$.unknown": True}},
            )

    async def take(self, account: str, entry_id: str, now: int) -> None:
        """Take an entry off the desk, if it is there."""
        with guard("take an order off the desk"):
            await self._desks.update_one(
                {"_id": account, "entries.id": entry_id},
                {
                    "$inc": {"version": 1},
                    "$pull": {"entries": {"id": entry_id}},
                    "$push": {"done": {"$each": [now], "$slice": -MOST_ENTRIES}},
                },
            )

    async def halt(self, account: str, halted: bool) -> None:
        """Turn the kill switch on or off."""
        with guard("turn the kill switch"):
            await self._desks.update_one(
                {"_id": account},
                {
                    "$inc": {"version": 1},
                    "$set": {"halted": halted},
                    "$setOnInsert": {"done": [], "entries": []},
                },
                upsert=True,
            )

    async def all(self) -> list[Desk]:
        """Every desk with something on it."""
        with guard("list the desks"):
            documents = await self._desks.find({"entries.0": {"$exists": True}}).to_list(None)
        return list(map(_desk, documents))


def _desk(document: Document) -> Desk:
    return Desk(
        account=document["_id"],
        version=document["version"],
        halted=document["halted"],
        entries=tuple(restored(Entry, one) for one in document["entries"]),
        done=tuple(document["done"]),
    )
