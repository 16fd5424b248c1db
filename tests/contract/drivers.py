"""Databases through either driver: Motor, which is in use, and PyMongo's async client, its successor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from pymongo import AsyncMongoClient
from tornado.ioloop import IOLoop

from backend.store.mongo import DURABLE, connect, disconnect

DRIVERS = ("motor", "pymongo")


def connected(driver: str, uri: str, name: str, timeout: float = 10.0) -> Any:
    """A database of `uri` through `driver`; typed Any, because the store is meant for both."""
    if driver == "motor":
        return connect(uri, name, timeout)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri, timeoutMS=int(timeout * 1000))
    return client.get_database(name, write_concern=DURABLE)


@contextmanager
def empty_database(driver: str, uri: str, io_loop: IOLoop) -> Iterator[Any]:
    """A database of its own, dropped afterwards."""
    database = connected(driver, uri, f"contract_{uuid4().hex}")

    async def drop() -> None:
        await database.client.drop_database(database.name)
        await disconnect(database)

    yield database
    io_loop.run_sync(drop)
