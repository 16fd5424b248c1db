"""Paper accounts: `paper_books` has one document an account, `paper_rows` one a finished order, fill or bill.

{"_id": "9f3b2c1d0a7e4d55", "version": 7, "watched": true, "book": {.., "orders": [..], "fills": []}}
{"_id": "9f3b2c1d0a7e4d55/41", "account": .., "kind": "fills", "product": .., "symbol": .., "client": "",
 "time": .., "number": 41, "row": {..}}

A book and the rows that its last change made are written as one document. The rows go to their own place
before the next change takes theirs, as often as somebody likes: a row never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pymongo import ReplaceOne

from backend.errors import UnknownAccount
from backend.services.paper.ports import RowsAsked
from backend.store.mongo import Database, Document, guard
from backend.store.trading.rows import KINDS, restored, stored
from backend.trading.history import Kind, Row, time_of
from backend.trading.paper.paper_book import PaperBook
from backend.trading.rows import Order

BOOKS, ROWS = "paper_books", "paper_rows"


class MongoPapers:
    """Fits `services.paper.ports.PaperStore`."""

    def __init__(self, database: Database) -> None:
        self._books = database[BOOKS]
        self._rows = database[ROWS]
        self._indexed = False
        self._moved: dict[str, int] = {}
        """The last version of a book whose rows this process has put where all others are."""

    async def open(self, account: str, book: PaperBook) -> None:
        """Store the book of a new account."""
        with guard("open a paper account"):
            await self._index()
            await self._books.insert_one({"_id": account, **_document(book), "version": 1})

    async def load(self, account: str) -> tuple[PaperBook, int]:
        """A book without the rows of its last change, which are where all others are then."""
        with guard("read a paper account"):
            document = await self._books.find_one({"_id": account})
            if document is None:
                raise UnknownAccount("there is no such paper account")
            version: int = document["version"]
            rows = {kind.value: document["book"].pop(kind.value) for kind in Kind}
            if any(rows.values()) and self._moved.get(account) != version:
                await self._move(account, rows)
                self._moved[account] = version
        return restored(PaperBook, document["book"]), version

    async def _move(self, account: str, rows: Mapping[str, Sequence[Document]]) -> None:
        """Put new rows where all others are. Whoever does it again changes nothing."""
        await self._index()
        book = restored(PaperBook, rows)
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in _row_documents(account, book)]
        await self._rows.bulk_write(writes, ordered=False)

    async def save(self, account: str, book: PaperBook, version: int) -> bool:
        """Put a book in place of exactly this version."""
        changes = {"$set": {**_document(book), "version": version + 1}}
        with guard("change a paper account"):
            result = await self._books.update_one({"_id": account, "version": version}, changes)
        return result.modified_count == 1

    async def order(self, account: str, client_id: str) -> Order | None:
        """A finished order by its client id."""
        await self.load(account)
        wanted = {"account": account, "client": client_id, "kind": Kind.ORDERS.value}
        with guard("read an order of a paper account"):
            document = await self._rows.find_one(wanted)
        return None if document is None else restored(Order, document["row"])

    async def rows(self, account: str, asked: RowsAsked, limit: int) -> Sequence[tuple[tuple[int, int], Row]]:
        """Up to `limit` rows with their places, the oldest first."""
        await self.load(account)
        wanted: Document = {
            "account": account,
            "kind": asked.kind.value,
            "product": asked.product.value,
            "time": {"$gte": asked.start, "$lt": asked.end},
        }
        if asked.symbol:
            wanted["symbol"] = asked.symbol
        if asked.after is not None:
            time, number = asked.after
            wanted["$or"] = [{"time": {"$gt": time}}, {"time": time, "number": {"$gt": number}}]
        with guard("read rows of a paper account"):
            cursor = self._rows.find(wanted).sort([("time", 1), ("number", 1)]).limit(limit)
            documents = await cursor.to_list(None)
        kind = KINDS[asked.kind]
        return [((one["time"], one["number"]), restored(kind, one["row"])) for one in documents]

    async def watched(self) -> Sequence[str]:
        """The accounts that prices matter to."""
        with guard("list the paper accounts"):
            documents = await self._books.find({"watched": True}, {"_id": 1}).to_list(None)
        return [one["_id"] for one in documents]

    async def remove(self, account: str) -> None:
        """Forget a book and its rows."""
        with guard("remove a paper account"):
            self._moved.pop(account, None)
            await self._books.delete_one({"_id": account})
            await self._rows.delete_many({"account": account})

    async def _index(self) -> None:
        if not self._indexed:
            await self._rows.create_index(
                [("account", 1), ("kind", 1), ("product", 1), ("time", 1), ("number", 1)]
            )
            await self._rows.create_index([("account", 1), ("client", 1)])
            await self._books.create_index("watched")
            self._indexed = True


def _document(book: PaperBook) -> Document:
    return {"watched": bool(book.watched()), "book": stored(book)}


def _row_documents(account: str, book: PaperBook) -> Iterator[Document]:
    named: list[tuple[Kind, str, Row]] = [
        *((Kind.ORDERS, row.order_id, row) for row in book.orders),
        *((Kind.FILLS, row.fill_id, row) for row in book.fills),
        *((Kind.BILLS, row.bill_id, row) for row in book.bills),
    ]
    for kind, number, row in named:
        yield {
            "_id": f"{account}/{number}",
            "account": account,
            "kind": kind.value,
            "product": row.product.value,
            "symbol": row.symbol,
            "client": row.client_id if isinstance(row, Order) else "",
            "time": time_of(row),
            "number": int(number),
            "row": stored(row),
        }
