"""What was done in whose name, in collection `audit`: records are added, and never changed.

{"_id": "65f0..", "time": .., "account": .., "caller": "bot", "action": "place", "intent": "i3f..",
 "outcome": "accepted", "said": ""}
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from bson import ObjectId

from backend.services.orders.ports import AuditRecord
from backend.store.mongo import Database, Document, guard

COLLECTION = "audit"


class MongoAudit:
    """Fits `services.orders.ports.AuditStore`."""

    def __init__(self, database: Database) -> None:
        self._records = database[COLLECTION]
        self._indexed = False

    async def append(self, record: AuditRecord) -> None:
        """Write a record."""
        with guard("write an audit record"):
            await self._index()
            await self._records.insert_one({"_id": str(ObjectId()), **msgspec.to_builtins(record)})

    async def list(
        self, account: str | None, before: tuple[int, str] | None, limit: int
    ) -> Sequence[tuple[str, AuditRecord]]:
        """Records with their ids, newest first."""
        filters: Document = {} if account is None else {"account": account}
        if before is not None:
            time, row = before
            filters["$or"] = [{"time": {"$lt": time}}, {"time": time, "_id": {"$lt": row}}]
        with guard("list audit records"):
            await self._index()
            cursor = self._records.find(filters).sort([("time", -1), ("_id", -1)]).limit(limit)
            documents = await cursor.to_list(None)
        return [(one.pop("_id"), msgspec.convert(one, AuditRecord)) for one in documents]

    async def _index(self) -> None:
        if not self._indexed:
            await self._records.create_index([("time", -1), ("_id", -1)])
            await self._records.create_index([("account", 1), ("time", -1), ("_id", -1)])
            self._indexed = True
