"""Replays of strategies, in collection `replays`, one document each; they go after thirty days.

{"_id": "3f..", "at": <date>, "run": {..}}
"""

from __future__ import annotations

from datetime import UTC, datetime

from backend.store.mongo import Database, guard
from backend.store.trading.rows import restored, stored
from backend.trading.alarms.replay import ReplayRun

COLLECTION = "replays"
KEPT_SECONDS = 30 * 86_400


class MongoReplays:
    """Fits `services.alarms.ports.ReplayStore`."""

    def __init__(self, database: Database) -> None:
        self._replays = database[COLLECTION]
        self._indexed = False

    async def put(self, run: ReplayRun) -> None:
        """Store a replay, or its newer state."""
        at = datetime.fromtimestamp(run.created / 1000, UTC)
        with guard("keep a replay"):
            if not self._indexed:
                await self._replays.create_index("at", expireAfterSeconds=KEPT_SECONDS)
                self._indexed = True
            await self._replays.replace_one({"_id": run.id}, {"at": at, "run": stored(run)}, upsert=True)

    async def load(self, run_id: str) -> ReplayRun | None:
        """One of them; None if there is none."""
        with guard("read a replay"):
            document = await self._replays.find_one({"_id": run_id})
        return restored(ReplayRun, document["run"]) if document else None
