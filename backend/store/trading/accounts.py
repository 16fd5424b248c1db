"""Accounts, in collection `accounts`, one document each. Keys stand there sealed, and nowhere else.

{"_id": "9f3b2c1d0a7e4d55", "venue": "bitget", "mode": "live", "label": "grid bot", "flavour": "unified",
 "uid": "1234", "rights": ["read"], "addresses": [], "bindable": true, "registered": 1750000000000,
 "created": .., "checked": .., "frozen": false, "sealed": "gAAAA..", "sealed_by": "0a1b2c3d4e5f"}
"""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.account import Account, Mode, Sealed
from backend.trading.risk import Limits
from backend.trading.rows import Identity, KeyFacts, Right

COLLECTION = "accounts"


class MongoAccounts:
    """Fits `services.accounts.ports.AccountStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _account)
        self._indexed = False

    async def add(self, account: Account, sealed: Sealed) -> bool:
        """Keep a new account; False where one of the same venue, mode and uid is there already."""
        with guard("keep an account"):
            await self._index()
            try:
                await self._collection.insert_one(_document(account) | _sealing(sealed))
            except DuplicateKeyError:
                return False
        return True

    async def load(self, account_id: str) -> tuple[Account, Sealed] | None:
        """An account with its sealed keys; None if there is none."""
        with guard("read an account"):
            document = await self._collection.find_one({"_id": account_id})
        return (_account(document), Sealed(document["sealed"], document["sealed_by"])) if document else None

    async def all(self) -> list[Account]:
        """Every account, oldest first."""
        with guard("list the accounts"):
            cursor = self._collection.find({}, {"sealed": 0}).sort([("created", 1), ("_id", 1)])
            return list(self._readable(await cursor.to_list(None)))

    async def change(
        self, account_id: str, *, label: str | None, frozen: bool | None, limits: Limits | None = None
    ) -> bool:
        """Change what is given; False if there is no such account."""
        known = {"label": label, "frozen": frozen, "limits": None if limits is None else stored(limits)}
        given = {name: value for name, value in known.items() if value is not None}
        with guard("change an account"):
            if not given:
                return await self._collection.find_one({"_id": account_id}, {"_id": 1}) is not None
            result = await self._collection.update_one({"_id": account_id}, {"$set": given})
        return result.matched_count == 1

    async def checked(self, account_id: str, identity: Identity, moment: int) -> None:
        """Write down what the venue said of the account's keys."""
        said = _key(identity.key) | {"flavour": identity.flavour, "checked": moment}
        with guard("write down what a venue said of an account"):
            await self._collection.update_one({"_id": account_id}, {"$set": said})

    async def reseal(self, account_id: str, old: Sealed, new: Sealed) -> bool:
        """Put newly sealed keys in place of exactly the `old` ones."""
        with guard("seal an account's keys anew"):
            result = await self._collection.update_one(
                {"_id": account_id, "sealed": old.text}, {"$set": _sealing(new)}
            )
        return result.modified_count == 1

    async def remove(self, account_id: str) -> bool:
        """Forget an account and its keys; False if there is no such."""
        with guard("remove an account"):
            result = await self._collection.delete_one({"_id": account_id})
        return result.deleted_count == 1

    async def _index(self) -> None:
        if not self._indexed:
            await self._collection.create_index([("venue", 1), ("mode", 1), ("uid", 1)], unique=True)
            self._indexed = True


def _document(account: Account) -> Document:
    return {
        "_id": account.id,
        "venue": account.venue,
        "mode": account.mode.value,
        "label": account.label,
        "flavour": account.flavour,
        "uid": account.uid,
        "created": account.created,
        "checked": account.checked,
        "frozen": account.frozen,
    } | _key(account.key)


def _key(key: KeyFacts) -> Document:
    return {
        "rights": sorted(right.value for right in key.rights),
        "addresses": list(key.addresses),
        "bindable": key.bindable,
        "registered": key.registered,
    }


def _sealing(sealed: Sealed) -> Document:
    return {"sealed": sealed.text, "sealed_by": sealed.by}


def _account(document: Document) -> Account:
    return Account(
        id=document["_id"],
        venue=document["venue"],
        mode=Mode(document["mode"]),
        label=document["label"],
        flavour=document["flavour"],
        uid=document["uid"],
        key=KeyFacts(
            rights=frozenset(map(Right, document["rights"])),
            addresses=tuple(document["addresses"]),
            bindable=document.get("bindable", True),
            registered=document["registered"],
        ),
        created=document["created"],
        checked=document["checked"],
        frozen=document["frozen"],
        limits=restored(Limits, document.get("limits", {})),
    )
