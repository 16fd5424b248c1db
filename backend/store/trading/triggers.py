"""Trigger orders, in collection `triggers`, one document each, as `trading/trigger.py` has them.

{"_id": "3f..", "account": "9f3b2c1d0a7e4d55", "status": "waiting", "created": .., "trigger": {..}}

A change looks for the status that its writer saw: of two processes one goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import DuplicateKeyError

from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.trigger import OPEN_STATUSES, TriggerOrder

COLLECTION = "triggers"


class MongoTriggers:
    """Fits `services.orders.ports.TriggerStore`."""

    def __init__(self, database: Database) -> None:
        self._triggers = database[COLLECTION]
        self._readable = Readable(COLLECTION, _trigger)
        self._indexed = False

    async def add(self, trigger: TriggerOrder) -> bool:
        """Store a new one; False if there is one with its id."""
        with guard("write a trigger order down"):
            await self._index()
            try:
                await self._triggers.insert_one(_document(trigger))
            except DuplicateKeyError:
                return False
        return True

    async def load(self, trigger_id: str) -> TriggerOrder | None:
        """One of them; None if there is none."""
        with guard("read a trigger order"):
            document = await self._triggers.find_one({"_id": trigger_id})
        return _trigger(document) if document else None

    async def open(self) -> Sequence[TriggerOrder]:
        """Those that wait or were not placed yet, the oldest first."""
        return await self._find({"status": {"$in": list(OPEN_STATUSES)}}, 1, 0)

    async def count(self, account: str) -> int:
        """How many of an account wait."""
        with guard("count trigger orders"):
            return await self._triggers.count_documents(
                {"account": account, "status": {"$in": list(OPEN_STATUSES)}}
            )

    async def newest(self, account: str, limit: int) -> Sequence[TriggerOrder]:
        """Those of an account, newest first."""
        return await self._find({"account": account}, -1, limit)

    async def change(self, trigger: TriggerOrder, after: TriggerOrder) -> bool:
        """Put a new state in place of exactly this one; False if it has changed."""
        with guard("write down what became of a trigger order"):
            result = await self._triggers.replace_one(
                {"_id": trigger.id, "status": trigger.status}, _document(after)
            )
        return result.modified_count == 1

    async def _find(self, wanted: Document, order: int, limit: int) -> Sequence[TriggerOrder]:
        with guard("list trigger orders"):
            await self._index()
            cursor = self._triggers.find(wanted).sort([("created", order), ("_id", order)]).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def _index(self) -> None:
        if not self._indexed:
            await self._triggers.create_index([("status", 1), ("created", 1)])
            await self._triggers.create_index([("account", 1), ("created", -1)])
            self._indexed = True


def _document(trigger: TriggerOrder) -> Document:
    return {
        "_id": trigger.id,
        "account": trigger.account,
        "status": trigger.status,
        "created": trigger.created,
        "trigger": stored(trigger),
    }


def _trigger(document: Document) -> TriggerOrder:
    return restored(TriggerOrder, document["trigger"])
