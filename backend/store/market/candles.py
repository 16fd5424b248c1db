"""Candles in MongoDB: one clustered collection a series, `_id` = open time in ms, no other index."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure

from backend.core.candles import Candle
from backend.core.columns import Columns
from backend.core.plan import pages
from backend.core.series import Series
from backend.core.windows import MINUTE, Window, intersect
from backend.errors import DatabaseUnavailable
from backend.services.ports import Written
from backend.store.market.prefetch import Remaining, prefetched
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database, Document, guard, settled
from backend.telemetry.metrics import Metrics

DUPLICATE_KEY = 11_000
NAMESPACE_NOT_FOUND = 26
NAMESPACE_EXISTS = 48
SERIES_NAME = {"$regex": r"^(?!system\.)[a-z0-9]+\.[a-z0-9]+\."}
"""What the collections of series are called: exchange, market, symbol."""
BATCH = 4_000
"""Rows of a batch: 0.7 MB. Measured: neither smaller nor larger ones are read faster."""
WRITE_ROUNDS = 5
DELETED_AT_ONCE = 100_000


class MongoCandles:
    """Implements `services.ports.CandleStore`. `metrics`, if given, counts the writes."""

    def __init__(self, database: Database, revisions: MongoRevisions, metrics: Metrics | None = None) -> None:
        self._database = database
        self._revisions = revisions
        self._metrics = metrics
        self._overlapping: set[Series] = set()

    async def create(self, series: Series) -> None:
        """Make the series' collection unless it is there: clustered on `_id`, zstd on disk."""
        with guard(f"create {series.name}"):
            try:
                await self._database.create_collection(
                    series.name,
                    clusteredIndex={"key": {"_id": 1}, "unique": True},
                    storageEngine={"wiredTiger": {"configString": "block_compressor=zstd"}},
                )
            except CollectionInvalid:
                return
            except OperationFailure as error:
                if error.code != NAMESPACE_EXISTS:
                    raise

    async def write(self, series: Series, candles: Sequence[Candle]) -> Written:
        """Store ascending candles durably: insert what is not there, replace what differs.

        If a stored candle differs, a revision is recorded before the candle is replaced. Usually nothing is
        stored, and one bulk insert is enough. After a duplicate key the write reads the range first; so do
        the next writes, until one finds its range empty.
        """
        documents = [_document(candle) for candle in candles]
        inserted = replaced = 0
        with guard(f"write candles of {series.name}"):
            for _ in range(WRITE_ROUNDS):
                stored = await self._stored(series, candles) if series in self._overlapping else {}
                new, changed = _compared(documents, stored)
                # In this order: the revision is recorded, pending, then the candle is replaced, then the
                # revision is settled. A crash after the first step leaves a pending revision, which is held
                # against the candle and settled or dropped; a candle that was replaced first would have
                # changed without a word.
                changes = [(stored[after["_id"]], after) for after in changed]
                recorded = await self._revisions.record(series, changes)
                mended = await self._replace(series, changed)
                await self._revisions.settle(recorded)
                added, clashed = await self._insert(series, new)
                if self._metrics:
                    self._metrics.wrote(series.exchange, series.market, added, mended)
                inserted, replaced = inserted + added, replaced + mended
                (self._overlapping.add if clashed or stored else self._overlapping.discard)(series)
                if not clashed:
                    return Written(inserted, replaced)
        raise DatabaseUnavailable(f"other processes keep changing {series.name}: try again in a moment")

    async def add(self, series: Series, candles: Sequence[Candle]) -> bool:
        """Store ascending candles durably where nothing is stored; False if a stored one differs."""
        documents = [_document(candle) for candle in candles]
        with guard(f"add candles to {series.name}"):
            added, clashed = await self._insert(series, documents)
            if self._metrics:
                self._metrics.wrote(series.exchange, series.market, added, 0)
            return not clashed or _compared(documents, await self._stored(series, candles)) == ([], [])

    async def columns(
        self,
        series: Series,
        window: Window,
        limit: int | None = None,
        *,
        backwards: bool = False,
        batch: int = BATCH,
    ) -> AsyncGenerator[Columns, None]:
        """The stored candles that open in `window` in ascending batches of up to `batch`; the first `limit`.

        `backwards` gives the newest batch first, and the newest `limit`. Each batch is a query of its own
        that starts where the last one ended, so that a slow reader holds no cursor.
        """

        async def fetch(part: Window, rows: int) -> bytes:
            return await self._raw(series, part, rows, batch, backwards)

        async with aclosing(prefetched(fetch, Remaining(window, limit, backwards), batch)) as batches:
            async for columns in batches:
                yield columns[::-1] if backwards else columns

    async def _raw(self, series: Series, window: Window, rows: int, batch: int, backwards: bool) -> bytes:
        """The BSON documents of the first or last `rows` candles of a window, 0 for all, as they are sent."""
        within = {"_id": {"$gte": window.start, "$lt": window.end}}
        with guard(f"read {series.name}"):
            cursor = self._database[series.name].find_raw_batches(within).sort("_id", -1 if backwards else 1)
            return b"".join([raw async for raw in cursor.limit(rows).batch_size(rows or batch + 1)])

    async def remove(self, series: Series, window: Window) -> None:
        """Delete the candles that open in `window`, so many minutes at a time that no command takes long."""
        with guard(f"delete candles of {series.name}"):
            span = await self.span(series)
            within = intersect((span,), window) if span else ()
            for part in pages(within, lambda _start: DELETED_AT_ONCE):
                ids = {"$gte": part.start, "$lt": part.end}
                await self._database[series.name].delete_many({"_id": ids})

    async def drop(self, series: Series) -> None:
        """Drop the series' collection, if there is one."""
        with guard(f"delete {series.name}"):
            await self._database.drop_collection(series.name)
        self._overlapping.discard(series)

    async def stored_series(self) -> list[Series]:
        """Every series that has a collection, by name."""
        with guard("list the stored series"):
            names = await self._database.list_collection_names(filter={"name": SERIES_NAME})
        return [Series(*name.split(".", 2)) for name in sorted(names)]

    async def bytes_on_disk(self, series: Series) -> int:
        """What a series' collection takes on disk, compressed, over all shards; 0 if there is none."""
        stages: list[Document] = [{"$collStats": {"storageStats": {}}}]
        with guard(f"measure {series.name}"):
            try:
                shards = await (await settled(self._database[series.name].aggregate(stages))).to_list(None)
            except OperationFailure as error:
                if error.code != NAMESPACE_NOT_FOUND:
                    raise
                return 0
        return sum(int(shard["storageStats"]["storageSize"]) for shard in shards)

    async def span(self, series: Series) -> Window | None:
        """From the first to the last stored minute, None when nothing is stored."""
        with guard(f"read {series.name}"):
            ends = [
                await self._database[series.name].find({}, {"_id": 1}).sort("_id", way).limit(1).to_list(None)
                for way in (1, -1)
            ]
        if not ends[0]:
            return None
        first, last = (int(documents[0]["_id"]) for documents in ends)
        return Window(first - first % MINUTE, last - last % MINUTE + MINUTE)

    async def count(self, series: Series, window: Window) -> int:
        """How many minutes of `window` are stored, counted by the database."""
        with guard(f"count {series.name}"):
            return await self._database[series.name].count_documents(_whole_minutes(window))

    async def open_times(self, series: Series, window: Window) -> list[int]:
        """The stored minutes of `window`, ascending."""
        with guard(f"read {series.name}"):
            cursor = self._database[series.name].find(_whole_minutes(window), {"_id": 1}).sort("_id", 1)
            return [int(document["_id"]) for document in await cursor.to_list(None)]

    async def _find(self, series: Series, window: Window, limit: int) -> list[Document]:
        within = {"_id": {"$gte": window.start, "$lt": window.end}}
        cursor = self._database[series.name].find(within).sort("_id", 1).limit(limit).batch_size(limit)
        return await cursor.to_list(None)

    async def _stored(self, series: Series, candles: Sequence[Candle]) -> dict[int, Document]:
        if not candles:
            return {}
        window = Window(candles[0].open_time, candles[-1].open_time + MINUTE)
        return {document["_id"]: document for document in await self._find(series, window, window.minutes)}

    async def _insert(self, series: Series, documents: list[Document]) -> tuple[int, bool]:
        if not documents:
            return 0, False
        try:
            await self._database[series.name].insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details: dict[str, Any] = dict(error.details)
            if any(problem["code"] != DUPLICATE_KEY for problem in details["writeErrors"]):
                raise
            if details.get("writeConcernErrors"):
                raise
            return int(details["nInserted"]), True
        return len(documents), False

    async def _replace(self, series: Series, documents: list[Document]) -> int:
        if not documents:
            return 0
        replacements = [ReplaceOne({"_id": document["_id"]}, document) for document in documents]
        result = await self._database[series.name].bulk_write(replacements, ordered=False)
        return int(result.modified_count)


def _whole_minutes(window: Window) -> Document:
    return {"_id": {"$gte": window.start, "$lt": window.end, "$mod": [MINUTE, 0]}}


def _compared(
    documents: list[Document], stored: dict[int, Document]
) -> tuple[list[Document], list[Document]]:
    """The documents that are not stored, and those whose stored values differ."""
    if not stored:
        return documents, []
    new = [document for document in documents if document["_id"] not in stored]
    changed = [document for document in documents if stored.get(document["_id"], document) != document]
    return new, changed


def _document(candle: Candle) -> Document:
    document: Document = {
        "_id": candle.open_time,
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "volume": candle.volume,
    }
    if candle.quote_volume is not None:
        document["quote_volume"] = candle.quote_volume
    if candle.trades is not None:
        document["trades"] = candle.trades
    if candle.taker_buy_volume is not None:
        document["taker_buy_volume"] = candle.taker_buy_volume
    if candle.taker_buy_quote_volume is not None:
        document["taker_buy_quote_volume"] = candle.taker_buy_quote_volume
    return document
