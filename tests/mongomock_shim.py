"""Lets mongomock take the bulk writes of PyMongo 4.11 and newer (mongomock issue 912), and raw reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import bson
import pytest
from mongomock.collection import BulkOperationBuilder
from mongomock_motor import AsyncMongoMockCollection


def mend_bulk_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop the `sort` that PyMongo hands over with each update or replacement; ours never have one."""
    for name in ("add_update", "add_replace"):
        monkeypatch.setattr(BulkOperationBuilder, name, _without_sort(getattr(BulkOperationBuilder, name)))


def lend_raw_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give collections a `find_raw_batches` over their `find`."""
    monkeypatch.setattr(AsyncMongoMockCollection, "find_raw_batches", _raw_batches, raising=False)


def _raw_batches(collection: Any, wanted: Mapping[str, object]) -> _RawBatches:
    return _RawBatches(collection, wanted)


class _RawBatches:
    def __init__(self, collection: Any, wanted: Mapping[str, object]) -> None:
        self._cursor = collection.find(wanted)

    def sort(self, key: str, way: int) -> _RawBatches:
        self._cursor = self._cursor.sort(key, way)
        return self

    def limit(self, rows: int) -> _RawBatches:
        self._cursor = self._cursor.limit(rows)
        return self

    def batch_size(self, _rows: int) -> _RawBatches:
        return self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"".join([bson.encode(document) for document in await self._cursor.to_list(None)])


def _without_sort(method: Callable[..., None]) -> Callable[..., None]:
    def mended(*arguments: object, sort: object = None, **options: object) -> None:
        if sort is not None:
            raise NotImplementedError("mongomock cannot sort in a bulk write")
        method(*arguments, **options)

    return mended
