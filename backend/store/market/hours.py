"""Candles of an hour that were made once: collection `hours`, a document for each eight days of a series.

{"_id": "binance.spot.BTCUSDT/00002531", "key": "9f3b..",
 "columns": {"open_time": <bytes>, "open": <bytes>, ..}}

All of it is derived from the candles. Who drops it loses nothing but time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymongo import ReplaceOne

from backend.core.columns import NAMES, Columns
from backend.core.series import Series
from backend.services.ports import KeptChunk
from backend.store.mongo import Database, Document, guard

COLLECTION = "hours"
KINDS: Mapping[str, str] = dict.fromkeys(NAMES, "<f8") | {
    "open_time": "<i8",
    "trades": "<i8",
    "minutes": "<i4",
}
NEEDED = ("open_time", "open", "high", "low", "close", "volume", "minutes")


class MongoHours:
    """Fits `services.ports.HourStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]

    async def load(self, series: Series, numbers: Sequence[int]) -> dict[int, KeptChunk]:
        """The chunks with these numbers that are kept; a document that is none is not there."""
        wanted = {_id(series, number): number for number in numbers}
        with guard(f"read kept hours of {series.name}"):
            documents = await self._collection.find({"_id": {"$in": [*wanted]}}).to_list(None)
        read = {wanted[document["_id"]]: _chunk(document) for document in documents}
        return {number: chunk for number, chunk in read.items() if chunk}

    async def save(self, series: Series, chunks: Mapping[int, KeptChunk]) -> None:
        """Keep some chunks in place of older ones."""
        documents = [_document(series, number, chunk) for number, chunk in chunks.items()]
        changes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        with guard(f"keep hours of {series.name}"):
            await self._collection.bulk_write(changes, ordered=False)

    async def drop(self, series: Series) -> None:
        """Drop all chunks of a series."""
        with guard(f"drop kept hours of {series.name}"):
            # Between two bounds, the second of which follows every number: no name is part of a condition.
            mine = self._collection.find({}, {"_id": 1}).hint([("_id", 1)])
            mine = mine.min([("_id", f"{series.name}/")]).max([("_id", f"{series.name}/:")])
            ids = [document["_id"] for document in await mine.to_list(None)]
            await self._collection.delete_many({"_id": {"$in": ids}})


def _id(series: Series, number: int) -> str:
    return f"{series.name}/{number:08d}"


def _document(series: Series, number: int, chunk: KeptChunk) -> Document:
    columns = {name: column.astype(KINDS[name]).tobytes() for name, column in chunk.hours.present().items()}
    return {"_id": _id(series, number), "key": chunk.key, "columns": columns}


def _chunk(document: Document) -> KeptChunk | None:
    """The chunk of a document, None for a document that has another shape."""
    key, columns = document.get("key"), document.get("columns")
    if not isinstance(key, str) or not isinstance(columns, dict) or not set(NEEDED) <= columns.keys():
        return None
    if any(name not in KINDS or not isinstance(value, bytes) for name, value in columns.items()):
        return None
    rows = len(columns["open_time"]) // 8
    if any(len(value) != rows * int(KINDS[name][-1]) for name, value in columns.items()):
        return None
    arrays: dict[str, Any] = {name: np.frombuffer(value, KINDS[name]) for name, value in columns.items()}
    return KeptChunk(key, Columns(**arrays))
