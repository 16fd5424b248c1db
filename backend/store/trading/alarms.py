"""Alarms, in collection `alarms`, one document each; `alarm_lanes` says which process carries out which.

{"_id": "5b..", "strategy": "ema", "lane": "9f3b2c1d0a7e4d55/perpetual-usdt/BTC-USDT", "ticker": "BTCUSDT.P",
 "state": "done", "open": false, "due": .., "received": .., "decided": .., "finished": .., "deliveries": 1,
 "version": 4, "alarm": {..}}
{"_id": "<lane>", "owner": "host-17", "until": ..}

A change looks for the version that its writer read. Refused alarms go after thirty days, others stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from backend.services.alarms.ports import AlarmsWanted, Reached
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable
from backend.store.trading.rows import restored, stored
from backend.trading.alarms.alarm import OPEN, Alarm, AlarmState

COLLECTION, LANES = "alarms", "alarm_lanes"
ASIDE = ("strategy", "lane", "state", "due", "received", "decided", "finished", "deliveries")
"""Fields that stand outside of the alarm, where they can be looked for."""
AT_ONCE = 500
KEPT_REFUSED_SECONDS = 30 * 86_400


class MongoAlarms:
    """Fits `services.alarms.ports.AlarmStore`."""

    def __init__(self, database: Database) -> None:
        self._alarms = database[COLLECTION]
        self._lanes = database[LANES]
        self._readable = Readable(COLLECTION, _alarm)
        self._indexed = False

    async def add(self, alarm: Alarm) -> bool:
        """Store an alarm; False if one with its id is there: then it counts the delivery."""
        with guard("store an alarm"):
            await self._index()
            try:
                await self._alarms.insert_one(_document(alarm) | {"version": 0})
            except DuplicateKeyError:
                await self._alarms.update_one({"_id": alarm.id}, {"$inc": {"deliveries": 1}})
                return False
        return True

    async def repeated(self, alarm_id: str, since: int) -> str | None:
        """The id of an alarm like this one that came lately; it counts the delivery."""
        wanted = {"_id": {"$gte": alarm_id, "$lt": f"{alarm_id}~"}, "received": {"$gte": since}}
        with guard("look for an alarm"):
            document = await self._alarms.find_one_and_update(
                wanted, {"$inc": {"deliveries": 1}}, {"_id": 1}, sort=[("_id", -1)]
            )
        return document["_id"] if document else None

    async def load(self, alarm_id: str) -> Alarm | None:
        """An alarm; None if there is none."""
        with guard("read an alarm"):
            document = await self._alarms.find_one({"_id": alarm_id})
        return _alarm(document) if document else None

    async def list(self, wanted: AlarmsWanted, limit: int) -> Sequence[Alarm]:
        """Alarms, newest first."""
        filters: Document = {}
        for name in ("strategy", "ticker"):
            if (value := getattr(wanted, name)) is not None:
                filters[name] = value
        if wanted.state is not None:
            filters["state"] = wanted.state.value
        span = {"$gte": wanted.start, "$lte": wanted.end}
        if given := {name: value for name, value in span.items() if value is not None}:
            filters["received"] = given
        if wanted.before is not None:
            time, row = wanted.before
            filters["$or"] = [{"received": {"$lt": time}}, {"received": time, "_id": {"$lt": row}}]
        with guard("list alarms"):
            await self._index()
            cursor = self._alarms.find(filters).sort([("received", -1), ("_id", -1)]).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def change(self, alarm: Alarm, after: Alarm) -> bool:
        """Put a new state in place of exactly this one: what is not in it, such as deliveries, stays."""
        document = _document(after)
        del document["_id"], document["deliveries"]
        before = {"_id": alarm.id, "state": alarm.state.value, "alarm.legs": stored(alarm.legs)}
        with guard("write down how far an alarm is"):
            result = await self._alarms.update_one(before, {"$set": document, "$inc": {"version": 1}})
        return result.modified_count == 1

    async def lanes(self, now: int) -> Sequence[str]:
        """The lanes with an alarm whose time has come."""
        with guard("look for alarms"):
            await self._index()
            names: list[str] = await self._alarms.distinct("lane", {"open": True, "due": {"$lte": now}})
        return names

    async def open(self, lane: str) -> Sequence[Alarm]:
        """Alarms of a lane with something still to do, the oldest first."""
        with guard("read alarms"):
            cursor = self._alarms.find({"open": True, "lane": lane})
            documents = await cursor.sort([("received", 1), ("_id", 1)]).limit(AT_ONCE).to_list(None)
        return list(self._readable(documents))

    async def oldest_open(self) -> int | None:
        """The time of the oldest alarm with something still to do."""
        with guard("look for alarms"):
            document: Any = await self._alarms.find_one(
                {"open": True}, {"received": 1}, sort=[("received", 1)]
            )
        return document["received"] if document else None

    async def enter(self, lane: str, owner: str, now: int, until: int) -> bool:
        """Take a lane until a moment; False if another process has it."""
        free = {"_id": lane, "$or": [{"until": {"$lte": now}}, {"owner": owner}]}
        with guard("take a lane of alarms"):
            try:
                await self._lanes.update_one(free, {"$set": {"owner": owner, "until": until}}, upsert=True)
            except DuplicateKeyError:
                return False
        return True

    async def leave(self, lane: str, owner: str) -> None:
        """Give a lane back."""
        with guard("give a lane of alarms back"):
            await self._lanes.update_one({"_id": lane, "owner": owner}, {"$set": {"until": 0}})

    async def reached(self, lane: str, strategy: str) -> Reached | None:
        """How far the alarms of a strategy are."""
        wanted = {"lane": lane, "strategy": strategy, "decided": {"$ne": None}}
        with guard("read the last alarm of a strategy"):
            document = await self._alarms.find_one(wanted, sort=[("decided", -1)])
        if document is None:
            return None
        alarm = _alarm(document)
        assert alarm.decided is not None
        after = None if alarm.signal is None else alarm.signal.after
        sent = alarm.signal.fired_at if alarm.signal and alarm.signal.fired_at else alarm.received
        return Reached(after, sent, alarm.decided)

    async def _index(self) -> None:
        if not self._indexed:
            await self._alarms.create_index([("open", 1), ("due", 1)])
            await self._alarms.create_index([("lane", 1), ("strategy", 1), ("decided", -1)])
            await self._alarms.create_index([("received", -1), ("_id", -1)])
            await self._alarms.create_index([("strategy", 1), ("received", -1), ("_id", -1)])
            await self._alarms.create_index("gone_from", expireAfterSeconds=KEPT_REFUSED_SECONDS)
            self._indexed = True


def _document(alarm: Alarm) -> Document:
    said: Document = stored(alarm)
    aside = {name: said.pop(name) for name in ASIDE}
    document = {
        "_id": said.pop("id"),
        **aside,
        "ticker": alarm.signal.ticker if alarm.signal else "",
        "open": alarm.state in OPEN,
        "alarm": said,
    }
    if alarm.state is AlarmState.REFUSED:
        document["gone_from"] = datetime.fromtimestamp(alarm.received / 1000, UTC)
    return document


def _alarm(document: Document) -> Alarm:
    aside = {name: document[name] for name in ASIDE}
    return restored(Alarm, {"id": document["_id"], **aside, **document["alarm"]})
