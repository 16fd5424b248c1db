"""Histories of accounts: rows in a collection each, and in `account_history` a ledger an account.

{"_id": "9f3b2c1d0a7e4d55", "lease": {"token": .., "owner": .., "until": <date>}, "read": .., "proved": ..,
 "streams": {"orders%2Fspot": {"held": [[start, end], ..], "oldest": .., "pending": [["1111", ..]],
                               "filled_only": []}},
 "proof": {"most": 100, "checked": {..}, "found": 1, "differences": [..]}}

Rows are written before the ledger that claims them, both durably: a crash between costs a window that is read
again. The token of the lease is part of what each write of the ledger looks for, so whoever slept on a lease
that another has taken writes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from urllib.parse import quote, unquote
from uuid import uuid4

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from backend.core.windows import DAY, Spans, Window, normalise
from backend.services.history.ports import HistoryLease, Known, Place, RowsWanted
from backend.store.mongo import Database, Document, guard
from backend.store.trading.proofs import proof_document, read_proof
from backend.store.trading.rows import COLLECTIONS, KINDS, Found, document_of, row_of
from backend.trading.history import Kind, Row, StreamLedger, StreamName
from backend.trading.proof import Proof
from backend.trading.rows import Bill, Fill, Order, Product, Status

COLLECTION = "account_history"
DUPLICATE = 11000
BATCH = 1000
FINAL = [Status.FILLED.value, Status.CANCELLED.value, Status.EXPIRED.value, Status.FAILED.value]
_RUN_OUT: Document = {"$expr": {"$lte": ["$lease.until", "$$NOW"]}}


class MongoHistory:
    """Fits `services.history.ports.HistoryStore`."""

    def __init__(self, database: Database) -> None:
        self._ledgers = database[COLLECTION]
        self._rows = {kind: database[name] for kind, name in COLLECTIONS.items()}
        self._indexed = False

    async def acquire(self, account: str, owner: str, seconds: float) -> HistoryLease | None:
        """Lease an account's history unless somebody holds it."""
        token = uuid4().hex
        mark = {"token": token, "owner": owner, "until": _from_now(seconds)}
        with guard("lease a history"):
            await self._index()
            for _ in range(2):
                document = await self._ledgers.find_one_and_update(
                    {"_id": account, "$or": [{"lease": None}, _RUN_OUT]},
                    [{"$set": {"lease": mark}}],
                    return_document=ReturnDocument.AFTER,
                )
                if document is not None:
                    return HistoryLease(account, token, _ledger(document))
                try:
                    await self._ledgers.insert_one({"_id": account, "lease": None, "streams": {}})
                except DuplicateKeyError:
                    return None
        return None

    async def renew(self, lease: HistoryLease, seconds: float) -> bool:
        """Hold on for `seconds` from now; False if another holds it by now."""
        with guard("renew the lease of a history"):
            result = await self._ledgers.update_one(
                _held_by(lease), [{"$set": {"lease.until": _from_now(seconds)}}]
            )
        return result.matched_count == 1

    async def release(self, lease: HistoryLease) -> None:
        """Let others have it."""
        with guard("give the lease of a history back"):
            await self._ledgers.update_one(_held_by(lease), {"$set": {"lease": None}})

    async def record(self, lease: HistoryLease, name: StreamName, ledger: StreamLedger) -> bool:
        """Write durably what is known of a stream; False if another holds the history by now."""
        document = {
            "held": [list(window) for window in ledger.held],
            "oldest": ledger.oldest,
            "pending": [list(one) for one in ledger.pending.items()],
            "filled_only": [list(window) for window in ledger.filled_only],
        }
        with guard("write the ledger of a history"):
            result = await self._ledgers.update_one(
                _held_by(lease), {"$set": {f"streams.{_key(name)}": document}}
            )
        return result.matched_count == 1

    async def finish(self, lease: HistoryLease, read: int, proof: Proof | None) -> bool:
        """Write down when the history was read, and what was compared."""
        change: Document = {"read": read}
        if proof is not None:
            change |= {"proof": proof_document(proof), "proved": read}
        with guard("write down that a history was read"):
            result = await self._ledgers.update_one(_held_by(lease), {"$set": change})
        return result.matched_count == 1

    async def load(self, account: str) -> Known:
        """What is known of an account's history."""
        with guard("read the ledger of a history"):
            document = await self._ledgers.find_one({"_id": account}) or {"streams": {}}
        proof = document.get("proof")
        return Known(
            ledger=_ledger(document),
            read=document.get("read"),
            proof=proof and read_proof(proof),
            proved=document.get("proved"),
        )

    async def put(self, account: str, kind: Kind, rows: Mapping[str, Row]) -> int:
        """Store rows by their ids, durably: how many were new. An older state of an order changes nothing.

        Where a newer state is stored, the filter finds nothing and the upsert meets the id that is there:
        that is the only error which is passed over.
        """
        documents = [document_of(account, row_id, row) for row_id, row in rows.items()]
        if not documents:
            return 0
        writes = [
            UpdateOne({"_id": one["_id"], "updated": {"$lte": one["updated"]}}, {"$set": one}, upsert=True)
            for one in documents
        ]
        with guard("store rows of a history"):
            try:
                result = await self._rows[kind].bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                details = error.details or {}
                if any(one["code"] != DUPLICATE for one in details.get("writeErrors", [])):
                    raise
                return int(details["nUpserted"])
        return int(result.upserted_count)

    async def fills_of(self, account: str, product: Product, order_id: str) -> Sequence[Fill]:
        """The stored fills of an order, oldest first."""
        wanted = {"account": account, "product": product.value, "order": order_id}
        with guard("read the fills of an order"):
            documents = await self._rows[Kind.FILLS].find(wanted).sort("time", 1).to_list(None)
        return [row_of(Fill, one) for one in documents]

    async def symbols(self, account: str, product: Product) -> set[str]:
        """The symbols of all that is stored of a product."""
        names: set[str] = set()
        with guard("read the symbols of a history"):
            for rows in self._rows.values():
                names.update(await rows.distinct("symbol", {"account": account, "product": product.value}))
        return names - {""}

    async def busy_days(self, account: str, product: Product, symbol: str) -> Spans:
        """The days on which orders of a symbol that were filled lived, or bills of it came."""
        query = {"account": account, "symbol": symbol, "product": product.value}
        days: set[Window] = set()
        with guard("read the days of a history"):
            for kind, more in ((Kind.ORDERS, {"row.filled": {"$gt": 0}}), (Kind.BILLS, {})):
                rows = self._rows[kind].find(query | more, {"time": 1, "updated": 1})
                async for one in rows:
                    first, last = one["time"] // DAY, one["updated"] // DAY
                    days.add(Window(first * DAY, (last + 1) * DAY))
        return normalise(days)

    async def unread_orders(self, account: str, product: Product) -> list[Order]:
        """Orders that were filled in part or whole, and whose fills were not read since."""
        wanted = {
            "account": account,
            "product": product.value,
            "$expr": {"$and": [{"$gt": ["$row.filled", 0]}, {"$ne": ["$row.filled", "$fills_read"]}]},
        }
        with guard("read the orders whose fills are unread"):
            documents = await self._rows[Kind.ORDERS].find(wanted).sort("time", 1).to_list(None)
        return [row_of(Order, one) for one in documents]

    async def fills_read(self, order: Order, account: str) -> None:
        """Write down that all fills of an order were read."""
        document = document_of(account, order.order_id, order)
        with guard("write down that fills were read"):
            await self._rows[Kind.ORDERS].update_one(
                {"_id": document["_id"]}, {"$set": {"fills_read": document["row"]["filled"]}}
            )

    async def is_finished(self, account: str, product: Product, order_id: str) -> bool:
        """Whether an order is stored as one to which nothing more happens."""
        with guard("look for an order"):
            document = await self._rows[Kind.ORDERS].find_one(
                {"_id": f"{account}/{product}/{order_id}", "row.status": {"$in": FINAL}}, {"_id": 1}
            )
        return document is not None

    async def page(
        self, kind: Kind, wanted: RowsWanted, after: Place | None, limit: int
    ) -> Sequence[tuple[Place, Row]]:
        """Up to `limit` rows behind a place, oldest first, each with its place."""
        query = _query(wanted)
        if after is not None:
            query["time"] = query.get("time", {}) | {"$gte": max(after.time, wanted.start or 0)}
            query["$or"] = [{"time": {"$gt": after.time}}, {"_id": {"$gt": after.id}}]
        with guard("read a page of a history"):
            cursor = self._rows[kind].find(query).sort([("time", 1), ("_id", 1)]).limit(limit)
            documents = await cursor.to_list(None)
        return [(Place(one["time"], one["_id"]), row_of(KINDS[kind], one)) for one in documents]

    async def count(self, kind: Kind, wanted: RowsWanted) -> int:
        """How many rows there are."""
        with guard("count rows of a history"):
            return await self._rows[kind].count_documents(_query(wanted))

    async def orders_with_fills(
        self, account: str, product: Product
    ) -> AsyncIterator[tuple[Order | None, list[Fill]]]:
        """Each order with its fills; fills without a stored order come alone. Both are read side by side, in
        the order of the orders' ids, so that no more than one order's fills are in memory."""
        orders = self._by_order(Kind.ORDERS, account, product, Order)
        fills = self._by_order(Kind.FILLS, account, product, Fill)
        order, fill = await anext(orders, None), await anext(fills, None)
        while order is not None or fill is not None:
            own: list[Fill] = []
            if order is None or (fill is not None and fill.order_id < order.order_id):
                assert fill is not None
                order_id = fill.order_id
                while fill is not None and fill.order_id == order_id:
                    own.append(fill)
                    fill = await anext(fills, None)
                yield None, own
                continue
            while fill is not None and fill.order_id == order.order_id:
                own.append(fill)
                fill = await anext(fills, None)
            yield order, own
            order = await anext(orders, None)

    async def bills(self, account: str, products: Sequence[Product]) -> AsyncIterator[Bill]:
        """All bills of some products, coin by coin, each coin's oldest first."""
        query = {"account": account, "product": {"$in": [product.value for product in products]}}
        order = [("row.coin", 1), ("time", 1), ("_id", 1)]
        with guard("read the bills of a history"):
            async for document in self._rows[Kind.BILLS].find(query).sort(order).allow_disk_use(True):
                yield row_of(Bill, document)

    async def _by_order(
        self, kind: Kind, account: str, product: Product, row: type[Found]
    ) -> AsyncIterator[Found]:
        query = {"account": account, "product": product.value}
        with guard("read a history"):
            async for document in self._rows[kind].find(query).sort([("order", 1), ("_id", 1)]):
                yield row_of(row, document)

    async def _index(self) -> None:
        if self._indexed:
            return
        for rows in self._rows.values():
            await rows.create_index([("account", 1), ("time", 1), ("_id", 1)])
            await rows.create_index([("account", 1), ("symbol", 1), ("time", 1), ("_id", 1)])
            await rows.create_index([("account", 1), ("product", 1), ("order", 1), ("_id", 1)])
        self._indexed = True


def _query(wanted: RowsWanted) -> Document:
    query: Document = {"account": wanted.account}
    if wanted.product is not None:
        query["product"] = wanted.product.value
    if wanted.symbol is not None:
        query["symbol"] = wanted.symbol
    bounds = {"$gte": wanted.start, "$lt": wanted.end}
    if times := {name: value for name, value in bounds.items() if value is not None}:
        query["time"] = times
    return query


def _held_by(lease: HistoryLease) -> Document:
    return {"_id": lease.account, "lease.token": lease.token}


def _from_now(seconds: float) -> Document:
    return {"$add": ["$$NOW", int(seconds * 1000)]}


def _key(name: StreamName) -> str:
    """A stream's name as a field's name, which must have no dot."""
    return quote(name.text, safe="").replace(".", "%2E")


def _ledger(document: Document) -> dict[StreamName, StreamLedger]:
    return {_name(key): _stream(one) for key, one in document["streams"].items()}


def _name(key: str) -> StreamName:
    kind, product, *symbol = unquote(key).split("/", 2)
    return StreamName(Kind(kind), Product(product), *symbol)


def _stream(document: Document) -> StreamLedger:
    return StreamLedger(
        held=_spans(document["held"]),
        oldest=document["oldest"],
        pending=dict(document["pending"]),
        filled_only=_spans(document.get("filled_only", [])),
    )


def _spans(windows: Iterable[Sequence[int]]) -> Spans:
    return tuple(Window(*window) for window in windows)
