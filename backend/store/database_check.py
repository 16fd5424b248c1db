"""Whether the database does what the service needs: it finds and writes this process's own document.

A ping says little: a database answers it with a full disk, without a majority, and for a user who may only
read.
"""

from __future__ import annotations

import asyncio

import pymongo

from backend.clock import Clock
from backend.errors import DatabaseUnavailable
from backend.store.market.processes import COLLECTION
from backend.store.mongo import AWAY, STRANGER, Database, LoginWatch, guard

SECONDS = 2.0
LASTS = 1.0
"""Longest time of a check, and lifetime of its result, in seconds. So frequent callers cost nothing."""

UNKNOWN = "the database has no entry of this process yet: the process writes it every few seconds"


class DatabaseCheck:
    """Tries the database as the process `name` needs it."""

    def __init__(self, database: Database, login_watch: LoginWatch, name: str, clock: Clock) -> None:
        self._collection = database[COLLECTION]
        self._login_watch = login_watch
        self._name = name
        self._clock = clock
        self._trying = asyncio.Lock()
        self._lasts_until = 0.0
        self._trouble = ""

    async def trouble(self) -> str:
        """A sentence about the database's problem, "" for none. It takes little more than SECONDS."""
        async with self._trying:
            if self._clock.monotonic() >= self._lasts_until:
                self._trouble = await self._asked()
                self._lasts_until = self._clock.monotonic() + LASTS
            return self._trouble

    async def _asked(self) -> str:
        try:
            async with asyncio.timeout(SECONDS):
                return "" if await self._write() else UNKNOWN
        except DatabaseUnavailable as error:
            return STRANGER if self._login_watch.refuses else str(error)
        except TimeoutError:
            return STRANGER if self._login_watch.refuses else AWAY

    async def _write(self) -> bool:
        """Date this process's document; False if there is none, which `fleet.py` alone may change."""
        with pymongo.timeout(SECONDS), guard("write this process's own document"):
            document = await self._collection.find_one_and_update(
                {"_id": self._name}, [{"$set": {"tried": "$$NOW"}}], projection={"_id": 1}
            )
        return document is not None
