"""Replays of strategies, in collection `replays`, one document each; they go after thirty days.

{"_id": "3f..", "at": <date>, "run": {"status": "running", "holder": "9c..", "until": 1750000060000, ..}}

Whoever writes how far a replay is must hold it: a process that lost its lease writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo import ReturnDocument

from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.alarms.replay import ReplayRun

COLLECTION = "replays"
KEPT_SECONDS = 30 * 86_400
RUNNING: Document = {"run.status": "running"}


class MongoReplays:
    """Fits `services.alarms.ports.ReplayStore`."""

    def __init__(self, database: Database) -> None:
        self._replays = database[COLLECTION]
        self._readable = Readable(COLLECTION, _run)
        self._indexed = False

    async def add(self, run: ReplayRun) -> None:
        """Store a new one."""
        with guard("keep a replay"):
            if not self._indexed:
                await self._replays.create_index("at", expireAfterSeconds=KEPT_SECONDS)
                await self._replays.create_index([("run.status", 1), ("run.until", 1)])
                self._indexed = True
            await self._replays.insert_one(_document(run))

    async def load(self, run_id: str) -> ReplayRun | None:
        """One of them; None if there is none."""
        with guard("read a replay"):
            document = await self._replays.find_one({"_id": run_id})
        return _run(document) if document else None

    async def newest(self, limit: int, strategy: str) -> Sequence[ReplayRun]:
        """The newest, of one strategy or of all ("")."""
        wanted: Document = {"run.strategy": strategy} if strategy else {}
        with guard("list replays"):
            cursor = self._replays.find(wanted).sort([("run.created", -1), ("_id", -1)]).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def waiting(self) -> int:
        """How many are not over."""
        with guard("count replays"):
            return await self._replays.count_documents(RUNNING)

    async def claim(self, holder: str, now: int, until: int) -> ReplayRun | None:
        """Give the oldest one that is not over, and that nobody holds at `now` (ms), to `holder`."""
        with guard("take a replay on"):
            document = await self._replays.find_one_and_update(
                RUNNING | {"run.until": {"$lte": now}},
                {"$set": {"run.holder": holder, "run.until": until}, "$inc": {"run.begun": 1}},
                sort=[("run.created", 1), ("_id", 1)],
                return_document=ReturnDocument.AFTER,
            )
        return _run(document) if document else None

    async def renew(self, run_id: str, holder: str, until: int) -> bool:
        """Hold it for longer; False if it is over, or another's."""
        with guard("hold a replay"):
            result = await self._replays.update_one(
                RUNNING | {"_id": run_id, "run.holder": holder}, {"$set": {"run.until": until}}
            )
        return result.matched_count == 1

    async def report(self, run: ReplayRun) -> bool:
        """Store how far it is, or its result; False if it is over, or another's."""
        told = {name: value for name, value in _document(run)["run"].items() if name != "until"}
        with guard("write down how far a replay is"):
            result = await self._replays.update_one(
                RUNNING | {"_id": run.id, "run.holder": run.holder},
                {"$set": {f"run.{name}": value for name, value in told.items()}},
            )
        return result.matched_count == 1

    async def cancel(self, run_id: str) -> ReplayRun | None:
        """End one that is not over; None if there is no such."""
        with guard("cancel a replay"):
            document = await self._replays.find_one_and_update(
                RUNNING | {"_id": run_id},
                {"$set": {"run.status": "cancelled"}},
                return_document=ReturnDocument.AFTER,
            )
        return _run(document) if document else None

    async def release(self, holder: str) -> None:
        """Let others have at once what `holder` holds: it was not begun in vain."""
        with guard("give replays back"):
            await self._replays.update_many(
                RUNNING | {"run.holder": holder}, {"$set": {"run.until": 0}, "$inc": {"run.begun": -1}}
            )


def _document(run: ReplayRun) -> Document:
    return {"_id": run.id, "at": datetime.fromtimestamp(run.created / 1000, UTC), "run": stored(run)}


def _run(document: Document) -> ReplayRun:
    return restored(ReplayRun, document["run"])
