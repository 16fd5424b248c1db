"""Extractions, in collection `extractions`, one document each, as `trading/extraction.py` has them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from pymongo import ReturnDocument

from backend.clock import EPOCH
from backend.core.job import Status
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.trading.extraction import Extraction

COLLECTION = "extractions"
KEPT = timedelta(days=7)


class MongoExtractions:
    """Fits `services.history.ports.ExtractionStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _extraction)
        self._indexed = False

    async def add(self, extraction: Extraction) -> None:
        """Keep a new one."""
        with guard("write an extraction down"):
            await self._index()
            await self._collection.insert_one(_document(extraction))

    async def load(self, extraction_id: str) -> Extraction | None:
        """One of them; None if there is no such."""
        with guard("read an extraction"):
            document = await self._collection.find_one({"_id": extraction_id})
        return _extraction(document) if document else None

    async def newest(self, limit: int, account: str | None = None) -> list[Extraction]:
        """Those that were asked for last, newest first."""
        return await self._find({} if account is None else {"account": account}, -1, limit)

    async def active(self) -> list[Extraction]:
        """Those that are not over, oldest first."""
        return await self._find({"active": True}, 1)

    async def report(self, extraction: Extraction, status: Status) -> bool:
        """Write down how far one is that has this status; True if somebody asked to cancel it."""
        document = _document(extraction)
        del document["_id"], document["cancelling"]
        with guard("write down how far an extraction is"):
            reported = await self._collection.find_one_and_update(
                {"_id": extraction.id, "status": status}, {"$set": document}
            )
        return bool(reported and reported["cancelling"])

    async def cancel(self, extraction_id: str, now: int) -> Extraction | None:
        """End one that is queued; ask for the end of one that runs."""
        changes: dict[str, Document] = {
            "queued": {"status": "cancelled", "active": False, "finished": now} | _expiry(now),
            "running": {"cancelling": True},
        }
        with guard("cancel an extraction"):
            for status, change in changes.items():
                document = await self._collection.find_one_and_update(
                    {"_id": extraction_id, "status": status},
                    {"$set": change},
                    return_document=ReturnDocument.AFTER,
                )
                if document:
                    return _extraction(document)
        return await self.load(extraction_id)

    async def _find(self, wanted: Document, order: int, limit: int = 0) -> list[Extraction]:
        with guard("list the extractions"):
            cursor = self._collection.find(wanted).sort([("created", order), ("_id", order)]).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def _index(self) -> None:
        if not self._indexed:
            await self._collection.create_index([("active", 1), ("created", 1)])
            await self._collection.create_index([("account", 1), ("created", -1)])
            await self._collection.create_index("expire_at", expireAfterSeconds=0)
            self._indexed = True


def _document(extraction: Extraction) -> Document:
    said: Document = msgspec.to_builtins(extraction)
    document = {"_id": said.pop("id"), **said, "active": not extraction.over}
    return document | (_expiry(extraction.finished) if extraction.finished is not None else {})


def _expiry(moment: int) -> Document:
    return {"expire_at": EPOCH + timedelta(milliseconds=moment) + KEPT}


def _extraction(document: Document) -> Extraction:
    known = {name: value for name, value in document.items() if name not in ("_id", "active", "expire_at")}
    return msgspec.convert({"id": document["_id"], **known}, Extraction)
