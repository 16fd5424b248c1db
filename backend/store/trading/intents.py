"""Intents, in collection `intents`, one document each, kept for ever.

{"_id": "i3f..", "account": "9f3b2c1d0a7e4d55", "state": "accepted", "active": true, "due": .., "created": ..,
 "product": "perpetual-usdt", "symbol": "BTCUSDT", "entry": true, "settled": null, "intent": {..}}

Every write is durable, and looks for a state from which the move is allowed (`trading/intents.MOVES`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from backend.services.orders.ports import Change, IntentsWanted
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.intents import Intent, State, states_before
from backend.trading.rows import Product

COLLECTION = "intents"
ASIDE = ("state", "active", "due", "created", "settled", "account")
"""Fields that stand outside of the intent, where they can be looked for."""
CHANGED = tuple(name for name in Change.__slots__ if name != "reopened")
OVER = (State.REFUSED.value, State.NEVER_ARRIVED.value)


class MongoIntents:
    """Fits `services.orders.ports.IntentStore`."""

    def __init__(self, database: Database) -> None:
        self._intents = database[COLLECTION]
        self._readable = Readable(COLLECTION, _intent)
        self._indexed = False

    async def add(self, intent: Intent) -> bool:
        """Store a new intent; False if there is one with its id."""
        with guard("write an intent down"):
            await self._index()
            try:
                await self._intents.insert_one(_document(intent))
            except DuplicateKeyError:
                return False
        return True

    async def load(self, intent_id: str) -> Intent | None:
        """An intent; None if there is none."""
        with guard("read an intent"):
            document = await self._intents.find_one({"_id": intent_id})
        return _intent(document) if document else None

    async def change(self, intent_id: str, change: Change) -> Intent | None:
        """Change an intent if its state allows the move."""
        given = {name: value for name in CHANGED if (value := getattr(change, name)) is not None}
        values = stored(given) | ({"settled": None} if change.reopened else {})
        said = {name if name in ASIDE else f"intent.{name}": value for name, value in values.items()}
        wanted: Document = {"_id": intent_id}
        if change.state is not None:
            wanted["state"] = {
                "$in": [change.state.value, *(one.value for one in states_before(change.state))]
            }
        with guard("write down what became of an intent"):
            document = await self._intents.find_one_and_update(
                wanted, {"$set": said}, return_document=ReturnDocument.AFTER
            )
        return _intent(document) if document else None

    async def due(self, now: int, limit: int) -> Sequence[Intent]:
        """Active intents whose time to be asked for has come."""
        with guard("look for intents"):
            await self._index()
            cursor = self._intents.find({"active": True, "due": {"$lte": now}}).sort("due", 1).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def claim(self, intent: Intent, due: int) -> bool:
        """Postpone an intent to `due`; False if somebody else has done so."""
        with guard("claim an intent"):
            result = await self._intents.update_one(
                {"_id": intent.id, "active": True, "due": intent.due}, {"$set": {"due": due}}
            )
        return result.modified_count == 1

    async def exposing(self, account: str, product: Product, symbol: str, since: int) -> Sequence[Intent]:
        """Entries of a symbol that no position of `since` need show."""
        wanted: Document = {
            "account": account,
            "product": product.value,
            "symbol": symbol,
            "entry": True,
            "state": {"$nin": OVER},
            "$or": [{"settled": None}, {"settled": {"$gte": since}}],
        }
        with guard("look for entries"):
            return list(map(_intent, await self._intents.find(wanted).to_list(None)))

    async def list(self, wanted: IntentsWanted, limit: int) -> Sequence[Intent]:
        """Intents, newest first."""
        filters: Document = {"account": wanted.account}
        if wanted.symbol is not None:
            filters["symbol"] = wanted.symbol
        if wanted.state is not None:
            filters["state"] = wanted.state.value
        if wanted.before is not None:
            time, row = wanted.before
            filters["$or"] = [{"created": {"$lt": time}}, {"created": time, "_id": {"$lt": row}}]
        with guard("list intents"):
            await self._index()
            cursor = self._intents.find(filters).sort([("created", -1), ("_id", -1)]).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def _index(self) -> None:
        if not self._indexed:
            await self._intents.create_index([("active", 1), ("due", 1)])
            await self._intents.create_index([("account", 1), ("created", -1), ("_id", -1)])
            await self._intents.create_index([("account", 1), ("symbol", 1), ("settled", 1)])
            self._indexed = True


def _document(intent: Intent) -> Document:
    said: Document = stored(intent)
    ticket = intent.ticket
    own = {"product": ticket.product.value, "symbol": ticket.symbol, "entry": not ticket.closes}
    aside = {name: said.pop(name) for name in ASIDE}
    return {"_id": said.pop("id"), **aside, **own, "intent": said}


def _intent(document: Document) -> Intent:
    aside = {name: document[name] for name in ASIDE}
    return restored(Intent, {"id": document["_id"], **aside, **document["intent"]})
