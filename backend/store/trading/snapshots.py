"""What accounts look like, in `account_states`, and what changed, in `account_news`.

{"_id": "9f3b2c1d0a7e4d55", "version": 7, "due": .., "listened": .., "number": 41, "read": .., "known": {..},
 "news": [{"number": 41, "time": .., "kind": "fill", "about": {..}}]}
{"_id": "9f3b2c1d0a7e4d55/41", "account": .., "number": 41, "time": .., "at": <date>, "kind": "fill",
 "about": {..}}

A state and the news that led to it are written as one document. The news go to their own collection before
the next visit writes its own, as often as somebody likes: they have numbers and never change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from pymongo import ReplaceOne, ReturnDocument

from backend.services.watching.ports import Standing, Told, Visit
from backend.store.mongo import Database, Document, guard
from backend.store.trading.rows import restored, stored
from backend.trading.rows import Fill, Order, Position
from backend.trading.snapshot import About, News, NewsKind, Trouble, Wallet, Watched

STATES, NEWS = "account_states", "account_news"
KEPT_SECONDS = 7 * 86_400
"""News are kept for so long."""
KINDS: dict[NewsKind, type[About]] = {
    NewsKind.ORDER: Order,
    NewsKind.FILL: Fill,
    NewsKind.POSITION: Position,
    NewsKind.BALANCE: Wallet,
    NewsKind.TROUBLE: Trouble,
}


class MongoSnapshots:
    """Fits `services.watching.ports.WatchStore`."""

    def __init__(self, database: Database) -> None:
        self._states = database[STATES]
        self._news = database[NEWS]
        self._indexed = False

    async def ensure(self, accounts: Collection[str], now: int) -> None:
        """Know these accounts, and no others."""
        with guard("list the accounts to watch"):
            await self._index()
            known = {one["_id"] for one in await self._states.find({}, {"_id": 1}).to_list(None)}
            for account in set(accounts) - known:
                fresh = {"version": 0, "due": now, "listened": 0, "number": 0, "read": 0, "news": []}
                await self._states.update_one(
                    {"_id": account}, {"$setOnInsert": fresh | {"known": stored(Watched())}}, upsert=True
                )
            for account in known - set(accounts):
                await self._states.delete_one({"_id": account})
                await self._news.delete_many({"account": account})

    async def claim(self, now: int, until: int) -> Visit | None:
        """An account whose time has come."""
        with guard("look for an account to watch"):
            document = await self._states.find_one_and_update(
                {"due": {"$lte": now}},
                {"$set": {"due": until}},
                sort=[("due", 1)],
                return_document=ReturnDocument.AFTER,
            )
        if document is None:
            return None
        return Visit(
            account=document["_id"],
            version=document["version"],
            known=restored(Watched, document["known"]),
            is_listened_to=document["listened"] > now,
        )

    async def keep(self, visit: Visit, known: Watched, news: Sequence[News], now: int, due: int) -> bool:
        """Write what a visit found, in place of exactly what it began with. Somebody may have hurried the
        account meanwhile: then it is due earlier."""
        with guard("write down what happened in an account"):
            before = await self._flushed(visit.account)
            if before is None or before["version"] != visit.version:
                return False
            first = before["number"] + 1
            rows = [
                {"number": number, "time": now, "kind": one.kind.value, "about": stored(one.about)}
                for number, one in enumerate(news, first)
            ]
            change: Document = {"version": visit.version + 1, "known": stored(known), "news": rows}
            change |= {"number": before["number"] + len(rows), "read": now}
            result = await self._states.update_one(
                {"_id": visit.account, "version": visit.version}, {"$set": change, "$min": {"due": due}}
            )
        return result.modified_count == 1

    async def hurry(self, accounts: Collection[str], now: int, listened_until: int | None = None) -> None:
        """Visit accounts now, and often until a moment."""
        change: Document = {"$min": {"due": now}}
        if listened_until is not None:
            change["$max"] = {"listened": listened_until}
        with guard("hurry the watch of accounts"):
            await self._states.update_many({"_id": {"$in": list(accounts)}}, change)

    async def standing(self, account: str) -> Standing:
        """The present state of an account."""
        with guard("read the state of an account"):
            document = await self._states.find_one({"_id": account}, {"news": 0})
        if document is None:
            return Standing(0, None, 0)
        return Standing(document["number"], restored(Watched, document["known"]).snapshot, document["read"])

    async def after(self, account: str, number: int, limit: int) -> Sequence[Told] | None:
        """Up to `limit` news after a number; None where some are no longer kept, or never were."""
        with guard("read the news of an account"):
            state = await self._states.find_one({"_id": account}, {"number": 1})
            last = 0 if state is None else state["number"]
            if number == last:
                return []
            if number > last:
                return None
            await self._flushed(account)
            cursor = self._news.find({"account": account, "number": {"$gt": number}})
            documents = await cursor.sort("number", 1).limit(limit).to_list(None)
        if not documents or documents[0]["number"] != number + 1:
            return None
        return [_told(one) for one in documents]

    async def _flushed(self, account: str) -> Document | None:
        """The state of an account, whose news are where all others are."""
        state: Document | None = await self._states.find_one({"_id": account}, {"known": 0})
        if state is not None and state["news"]:
            await self._news.bulk_write(
                [
                    ReplaceOne(
                        {"_id": f"{account}/{one['number']}"},
                        {**one, "account": account, "at": datetime.fromtimestamp(one["time"] / 1000, UTC)},
                        upsert=True,
                    )
                    for one in state["news"]
                ],
                ordered=False,
            )
        return state

    async def _index(self) -> None:
        if not self._indexed:
            await self._states.create_index("due")
            await self._news.create_index([("account", 1), ("number", 1)])
            await self._news.create_index("at", expireAfterSeconds=KEPT_SECONDS)
            self._indexed = True


def _told(document: Document) -> Told:
    kind = NewsKind(document["kind"])
    return Told(document["number"], document["time"], News(kind, restored(KINDS[kind], document["about"])))
