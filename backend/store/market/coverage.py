"""The coverage ledger in MongoDB: collection `coverage`, one document a series, written durably.

The ledger's document names its writer (`ledger_document.py`), so that one atomic step checks the right and
writes. Leases use the database's clock, because the clocks of machines differ.

Each write gives the ledger a new, unique `stamp`. One index holds all stamps, so that one query finds the
changed ones among thousands of series.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from bson import ObjectId
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure

from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.ports import Lease, Mark
from backend.store.market.ledger_document import blocks_of, change_of, coverage_of, document_of
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable

COLLECTION = "coverage"
OF_OLD: Document = {"held.0": {"$type": "array"}}
"""Ledgers of older versions, without blocks: one list of windows."""

MARKED = ("exchange", "market", "symbol", "stamp", "since", "until", "held_to")
"""The fields of a mark, and its series. The times are for older versions, which write ledgers without a new
stamp."""

_RUN_OUT: Document = {"$expr": {"$lte": ["$lease.until", "$$NOW"]}}


class MongoCoverage:
    """Fits `services.ports.CoverageStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _entry)
        self._marked = Readable(COLLECTION, _mark)
        self._is_indexed = False

    async def load(self, series: Series) -> Coverage:
        """What is known of `series`; nothing if it was never synced."""
        with guard(f"read the ledger of {series.name}"):
            document = await self._collection.find_one({"_id": series.name})
        return coverage_of(document) if document else Coverage()

    async def load_all(self, series: Collection[Series]) -> dict[Series, Coverage]:
        """What is known of several series."""
        with guard("read some ledgers"):
            cursor = self._collection.find({"_id": {"$in": [one.name for one in series]}})
            known = dict(self._readable(await cursor.to_list(None)))
        return {one: known.get(one, Coverage()) for one in series}

    async def count(self) -> int:
        """How many series are known."""
        with guard("count the series"):
            return await self._collection.count_documents({"since": {"$ne": None}})

    async def newest(self, limit: int) -> list[tuple[Series, Coverage]]:
        """The ledgers of the `limit` series with the latest requested end."""
        if not limit:
            return []
        with guard("read the newest ledgers"):
            cursor = self._collection.find({"since": {"$ne": None}}).sort([("until", -1), ("_id", 1)])
            documents = await cursor.limit(limit).to_list(None)
        return list(self._readable(documents))

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        """The symbols of a market of which at least one candle is held."""
        wanted = {"exchange": exchange, "market": market, "$or": [{"held_to": {"$gt": 0}}, OF_OLD]}
        with guard("list the stored series"):
            documents = await self._collection.find(wanted, {"symbol": 1}).to_list(None)
        return {document["symbol"] for document in documents}

    async def marks(self, market: tuple[str, str] | None = None) -> dict[Series, Mark]:
        """The mark of every ledger, or of those of one market. The index alone answers it."""
        exchange, name = market or ({"$gt": ""}, {"$gt": ""})
        return await self._marks({"exchange": exchange, "market": name})

    async def marks_of(self, series: Collection[Series]) -> dict[Series, Mark]:
        """The marks of some series; a series without a ledger has none."""
        return await self._marks({"_id": {"$in": [one.name for one in series]}})

    async def _marks(self, wanted: Document) -> dict[Series, Mark]:
        with guard("see which ledgers changed"):
            await self._index()
            fields = dict.fromkeys(MARKED, 1) | {"_id": 0}
            documents = await self._collection.find(wanted, fields).to_list(None)
        return dict(self._marked(documents))

    async def _index(self) -> None:
        """A read-only database answers without the index, a little slower."""
        if not self._is_indexed:
            with suppress(OperationFailure):
                await self._collection.create_index([(field, 1) for field in MARKED], name="marks")
            self._is_indexed = True

    async def acquire(self, series: Series, owner: str, seconds: float) -> Lease | None:
        """Lease the ledger unless another than `owner` holds it. Makes the document of a new series."""
        token = uuid4().hex
        free = [{"lease": None}, {"lease.owner": owner}, _RUN_OUT]
        mark = {"token": token, "owner": owner, "until": _from_now(seconds)}
        with guard(f"lease the ledger of {series.name}"):
            # With a new stamp: a holder that replaces a candle and then dies may change nothing else.
            for _ in range(2):
                document = await self._collection.find_one_and_update(
                    {"_id": series.name, "$or": free},
                    [{"$set": {"lease": mark, **_stamp()}}],
                    return_document=ReturnDocument.AFTER,
                )
                if document is not None:
                    lease = Lease(series, token, coverage_of(document))
                    return await self._brought_up_to_date(lease, document)
                try:
                    await self._collection.insert_one(_identity(series) | document_of(Coverage()) | _stamp())
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

    async def save(self, lease: Lease, coverage: Coverage, saved: Coverage | None = None) -> bool:
        """Write the ledger; False if another holds it by now. `saved` is what it was before."""
        # The token is part of the update's filter. If another process has taken the lease, the filter matches
        # no document, so nothing is written. A check before the write would leave a gap between the two.
        change = change_of(coverage, saved or lease.coverage)
        change["$set"] |= _stamp()
        with guard(f"write the ledger of {lease.series.name}"):
            result = await self._collection.update_one(_held_by(lease), change)
        return result.matched_count == 1

    async def extend(self, held: Mapping[Series, Window]) -> set[Series]:
        """Add minutes to the ledgers that end where these minutes begin and that nobody leases. Returns the
        series whose ledgers claim them now.

        An expired lease is removed, so that an owner that slept cannot write an old state.
        """
        if not held:
            return set()
        with guard("write some ledgers"):
            changes = [UpdateOne(*_extension(series, window)) for series, window in held.items()]
            result = await self._collection.bulk_write(changes, ordered=False)
        if result.matched_count == len(held):
            return set(held)
        known = await self.load_all(held)
        return {one for one, window in held.items() if known[one].held.within(window) == (window,)}

    async def release(self, lease: Lease) -> None:
        """Give the lease back, and drop a document that says nothing."""
        with guard(f"give back the lease of {lease.series.name}"):
            dropped = await self._collection.delete_one(_held_by(lease) | {"since": None, "held": {}})
            if not dropped.deleted_count:
                await self._collection.update_one(_held_by(lease), {"$unset": {"lease": 1}})

    async def _brought_up_to_date(self, lease: Lease, document: Document) -> Lease:
        """Move into blocks what is outside them: windows of an older version, or a tail."""
        if isinstance(document["held"], list):
            await self._collection.update_one(_held_by(lease), {"$set": document_of(lease.coverage)})
        elif document.get("tail"):
            change = change_of(lease.coverage, replace(lease.coverage, held=blocks_of(document)))
            await self._collection.update_one(_held_by(lease), change)
        return lease

    async def leased(self, series: Sequence[Series], owner: str) -> set[Series]:
        """Those of `series` that others than `owner` hold now."""
        return {one for one, holder in (await self.holders(series)).items() if holder != owner}

    async def holders(self, series: Collection[Series]) -> dict[Series, str]:
        """Who holds the ledgers of some series now; one that nobody holds has none."""
        held = {
            "_id": {"$in": [one.name for one in series]},
            "lease.owner": {"$ne": None},
            "$expr": {"$gt": ["$lease.until", "$$NOW"]},
        }
        with guard("see which series are worked on"):
            documents = await self._collection.find(held, {"lease.owner": 1}).to_list(None)
        names = {document["_id"]: document["lease"]["owner"] for document in documents}
        return {one: names[one.name] for one in series if one.name in names}


def _held_by(lease: Lease) -> Document:
    return {"_id": lease.series.name, "lease.token": lease.token}


def _extension(series: Series, added: Window) -> tuple[Document, list[Document]]:
    """The filter for a ledger that can be extended, and the update."""
    begun = {"$ifNull": [{"$arrayElemAt": ["$tail", 0]}, added.start]}
    wanted = {
        "_id": series.name,
        "until": added.start,
        "held_to": added.start,
        "$or": [{"lease": None}, _RUN_OUT],
    }
    change = {
        "tail": [begun, added.end],
        "held_to": added.end,
        "until": added.end,
        "lease": "$$REMOVE",
        **_stamp(),
    }
    return wanted, [{"$set": change}]


def _from_now(seconds: float) -> Document:
    return {"$add": ["$$NOW", int(seconds * 1000)]}


def _stamp() -> Document:
    return {"stamp": ObjectId()}


def _identity(series: Series) -> Document:
    return {
        "_id": series.name,
        "exchange": series.exchange,
        "market": series.market,
        "symbol": series.symbol,
    }


def _mark(document: Document) -> tuple[Series, Mark]:
    version = (document.get("stamp"), document.get("since"), document.get("until"), document.get("held_to"))
    holds = document.get("held_to") is not None or document.get("stamp") is None
    return _series(document), Mark(version, holds)


def _entry(document: Document) -> tuple[Series, Coverage]:
    return _series(document), coverage_of(document)


def _series(document: Document) -> Series:
    return Series(document["exchange"], document["market"], document["symbol"])
