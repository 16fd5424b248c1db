"""How often a series held less than its ledger claims: collection `doubts`, one document a series.

{"_id": "binance.spot.BTCUSDT", "count": 2}
"""

from __future__ import annotations

from backend.core.series import Series
from backend.store.mongo import Database, guard

COLLECTION = "doubts"


class MongoShortfalls:
    """Fits `services.ports.ShortfallStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]

    async def count(self, series: Series) -> int:
        """How many shortfalls of a series were recorded."""
        with guard(f"read the shortfalls of {series.name}"):
            document = await self._collection.find_one({"_id": series.name})
        return int(document["count"]) if document else 0

    async def add(self, series: Series) -> None:
        """Record one more."""
        with guard(f"record a shortfall of {series.name}"):
            await self._collection.update_one({"_id": series.name}, {"$inc": {"count": 1}}, upsert=True)
