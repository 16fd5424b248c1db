"""Strategies, in collection `strategies`: one document a revision; the last one of each is `present`.

{"_id": "ema/3", "strategy": "ema", "revision": 3, "present": true, "token": "<digest>", "row": {..}}

A new revision is written first, under an id that nobody else can write; then it becomes the present one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import DuplicateKeyError

from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.alarms.strategy import Strategy

COLLECTION = "strategies"


class MongoStrategies:
    """Fits `services.alarms.ports.StrategyStore`."""

    def __init__(self, database: Database) -> None:
        self._strategies = database[COLLECTION]
        self._readable = Readable(COLLECTION, _strategy)
        self._indexed = False

    async def put(self, strategy: Strategy) -> bool:
        """Store a revision; False if that revision is there already."""
        with guard("store a strategy"):
            await self._index()
            try:
                await self._strategies.insert_one(_document(strategy))
            except DuplicateKeyError:
                return False
            earlier = {"strategy": strategy.id, "revision": {"$lt": strategy.revision}}
            await self._strategies.update_many(earlier, {"$set": {"present": False}})
        return True

    async def load(self, strategy_id: str, revision: int | None = None) -> Strategy | None:
        """A strategy, or an earlier revision of it."""
        wanted: Document = {"strategy": strategy_id}
        wanted |= {"present": True} if revision is None else {"revision": revision}
        with guard("read a strategy"):
            document = await self._strategies.find_one(wanted, sort=[("revision", -1)])
        return _strategy(document) if document else None

    async def by_token(self, digest: str) -> Strategy | None:
        """The strategy with this token: the present revision's token counts alone."""
        with guard("read a strategy"):
            document = await self._strategies.find_one(
                {"token": digest, "present": True}, sort=[("revision", -1)]
            )
        if document is None:
            return None
        present = await self.load(document["strategy"])
        return present if present is not None and present.token == digest else None

    async def all(self) -> Sequence[Strategy]:
        """The present revision of each, by id."""
        with guard("list strategies"):
            documents = await self._strategies.find({"present": True}).sort("_id", 1).to_list(None)
        latest = {one.id: one for one in sorted(self._readable(documents), key=lambda one: one.revision)}
        return [latest[name] for name in sorted(latest)]

    async def revisions(self, strategy_id: str) -> Sequence[Strategy]:
        """All revisions of one, newest first."""
        with guard("list the revisions of a strategy"):
            cursor = self._strategies.find({"strategy": strategy_id}).sort("revision", -1)
            return list(self._readable(await cursor.to_list(None)))

    async def remove(self, strategy_id: str) -> bool:
        """Take a strategy out of use; its revisions stay."""
        with guard("remove a strategy"):
            result = await self._strategies.update_many(
                {"strategy": strategy_id, "present": True}, {"$set": {"present": False}}
            )
        return result.modified_count > 0

    async def _index(self) -> None:
        if not self._indexed:
            await self._strategies.create_index([("token", 1), ("present", 1)])
            await self._strategies.create_index([("strategy", 1), ("revision", -1)])
            self._indexed = True


def _document(strategy: Strategy) -> Document:
    return {
        "_id": f"{strategy.id}/{strategy.revision}",
        "strategy": strategy.id,
        "revision": strategy.revision,
        "present": True,
        "token": strategy.token,
        "row": stored(strategy),
    }


def _strategy(document: Document) -> Strategy:
    return restored(Strategy, document["row"])
