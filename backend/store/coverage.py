"""The coverage ledger in MongoDB: collection `coverage`, one document a series, written durably.

{"_id": "binance.spot.BTCUSDT", "exchange": "binance", "market": "spot", "symbol": "BTCUSDT",
 "since": 1748736000000, "until": .., "held": [[start, end], ...],
 "void": [{"start": .., "end": .., "reason": "no_data", "confirmed": .., "ask_again": ..}, ...],
 "lease": {"token": .., "owner": .., "until": <date>}}

Who writes the ledger is named in it, so that one atomic step checks the right and writes. Leases are dated by
the database's clock: the machines that share it may disagree on the time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import uuid4

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from backend.core.coverage import Coverage, Void, Window, intersect
from backend.core.series import Series
from backend.services.ports import Lease
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable

COLLECTION = "coverage"
_RUN_OUT: Document = {"$expr": {"$lte": ["$lease.until", "$$NOW"]}}


class MongoCoverage:
    """Fits `services.ports.CoverageStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _entry)

    async def load(self, series: Series) -> Coverage:
        """What is known of `series`; nothing if it was never synced."""
        with guard(f"read the ledger of {series.name}"):
            document = await self._collection.find_one({"_id": series.name})
        return _coverage(document) if document else Coverage()

    async def load_all(self, series: Collection[Series]) -> dict[Series, Coverage]:
        """What is known of several series."""
        with guard("read some ledgers"):
            cursor = self._collection.find({"_id": {"$in": [one.name for one in series]}})
            found = dict(self._readable(await cursor.to_list(None)))
        return {one: found.get(one, Coverage()) for one in series}

    async def count(self) -> int:
        """How many series are known."""
        with guard("count the series"):
            return await self._collection.count_documents({"since": {"$ne": None}})

    async def newest(self, limit: int) -> list[tuple[Series, Coverage]]:
        """What is known of the `limit` series that were asked for up to the latest moments."""
        if not limit:
            return []
        with guard("read the newest ledgers"):
            cursor = self._collection.find({"since": {"$ne": None}}).sort([("until", -1), ("_id", 1)])
            found = await cursor.limit(limit).to_list(None)
        return list(self._readable(found))

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        """The symbols of a market of which at least one candle is held."""
        wanted = {"exchange": exchange, "market": market, "held.0": {"$exists": True}}
        with guard("list the stored series"):
            found = await self._collection.find(wanted, {"symbol": 1}).to_list(None)
        return {document["symbol"] for document in found}

    async def acquire(self, series: Series, owner: str, seconds: float) -> Lease | None:
        """Lease the ledger unless another than `owner` holds it. Makes the document of a new series."""
        token = uuid4().hex
        free = [{"lease": None}, {"lease.owner": owner}, _RUN_OUT]
        lease = {"token": token, "owner": owner, "until": _from_now(seconds)}
        with guard(f"lease the ledger of {series.name}"):
            for _ in range(2):
                document = await self._collection.find_one_and_update(
                    {"_id": series.name, "$or": free},
                    [{"$set": {"lease": lease}}],
                    return_document=ReturnDocument.AFTER,
                )
                if document is not None:
                    return Lease(series, token, _coverage(document))
                try:
                    await self._collection.insert_one(_identity(series) | _document(Coverage()))
                except DuplicateKeyError:
                    return None
        return None

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Hold on for `seconds` from now; False if another holds the ledger by now."""
        with guard(f"renew the lease of {lease.series.name}"):
            result = await self._collection.update_one(
                _held_by(lease), [{"$set": {"lease.until": _from_now(seconds)}}]
            )
        return result.matched_count == 1

    async def save(self, lease: Lease, coverage: Coverage) -> bool:
        """Write the ledger; False if another holds it by now."""
        with guard(f"write the ledger of {lease.series.name}"):
            result = await self._collection.update_one(_held_by(lease), {"$set": _document(coverage)})
        return result.matched_count == 1

    async def extend(self, held: Mapping[Series, Window]) -> set[Series]:
        """Add minutes to those ledgers that end where they begin and that nobody leases; who holds them now.

        A lease that has run out goes, so that who slept on it cannot write what was known before.
        """
        if not held:
            return set()
        with guard("write some ledgers"):
            changes = [UpdateOne(*_extension(series, window)) for series, window in held.items()]
            result = await self._collection.bulk_write(changes, ordered=False)
        if result.matched_count == len(held):
            return set(held)
        known = await self.load_all(held)
        return {one for one, window in held.items() if intersect(known[one].held, window) == (window,)}

    async def release(self, lease: Lease) -> None:
        """Give the lease back, and drop a document that says nothing."""
        with guard(f"give back the lease of {lease.series.name}"):
            dropped = await self._collection.delete_one(_held_by(lease) | {"since": None, "held": []})
            if not dropped.deleted_count:
                await self._collection.update_one(_held_by(lease), {"$unset": {"lease": 1}})

    async def leased(self, series: Sequence[Series], owner: str) -> set[Series]:
        """Those of `series` that others than `owner` hold now."""
        held = {
            "_id": {"$in": [one.name for one in series]},
            "lease.owner": {"$nin": [None, owner]},
            "$expr": {"$gt": ["$lease.until", "$$NOW"]},
        }
        with guard("see which series are worked on"):
            found = await self._collection.find(held, {"_id": 1}).to_list(None)
        names = {document["_id"] for document in found}
        return {one for one in series if one.name in names}


def _held_by(lease: Lease) -> Document:
    return {"_id": lease.series.name, "lease.token": lease.token}


def _extension(series: Series, added: Window) -> tuple[Document, list[Document]]:
    """What a ledger must be like to be extended, and how it is."""
    last_end = {"$arrayElemAt": [{"$arrayElemAt": ["$held", -1]}, 1]}
    longer = [{"$arrayElemAt": ["$$window", 0]}, added.end]
    is_last = {"$eq": [{"$arrayElemAt": ["$$window", 1]}, added.start]}
    held = {"$map": {"input": "$held", "as": "window", "in": {"$cond": [is_last, longer, "$$window"]}}}
    wanted = {
        "_id": series.name,
        "until": added.start,
        "$expr": {"$eq": [last_end, added.start]},
        "$or": [{"lease": None}, _RUN_OUT],
    }
    return wanted, [{"$set": {"held": held, "until": added.end, "lease": "$$REMOVE"}}]


def _from_now(seconds: float) -> Document:
    return {"$add": ["$$NOW", int(seconds * 1000)]}


def _identity(series: Series) -> Document:
    return {
        "_id": series.name,
        "exchange": series.exchange,
        "market": series.market,
        "symbol": series.symbol,
    }


def _entry(document: Document) -> tuple[Series, Coverage]:
    return _series(document), _coverage(document)


def _series(document: Document) -> Series:
    return Series(document["exchange"], document["market"], document["symbol"])


def _document(coverage: Coverage) -> Document:
    return {
        "since": coverage.since,
        "until": coverage.until,
        "held": [list(window) for window in coverage.held],
        "void": [
            {
                "start": void.window.start,
                "end": void.window.end,
                "reason": void.reason,
                "confirmed": void.confirmed,
                "ask_again": void.ask_again,
            }
            for void in coverage.voids
        ],
    }


def _coverage(document: Document) -> Coverage:
    voids = tuple(
        Void(Window(void["start"], void["end"]), void["reason"], void["confirmed"], void["ask_again"])
        for void in document["void"]
    )
    held = tuple(Window(start, end) for start, end in document["held"])
    return Coverage(document["since"], held, voids, document["until"])
