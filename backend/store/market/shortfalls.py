"""How often a series held less than its ledger claims: collection `doubts`, one document a series.

{"_id": "binance.spot.BTCUSDT", "count": 2}
"""

from __future__ import annotations

from backend.core.series import Series
from backend.store.mongo import Database, guard

COLLECTION = "doubts"


class MongoShortfalls:
    """Fits `services.ports.DoubtStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]

    async def count(self, series: Series) -> int:
        """How many doubts were raised about a series."""
        with guard(f"read the doubts about {series.name}"):
            found = await self._collection.find_one({"_id": series.name})
        return int(found["count"]) if found else 0

    async def add(self, series: Series) -> None:
        """Raise one more."""
        with guard(f"doubt {series.name}"):
            await self._collection.update_one({"_id": series.name}, {"$inc": {"count": 1}}, upsert=True)
