"""Lets mongomock take the bulk writes of PyMongo 4.11 and newer (mongomock issue 912)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mongomock.collection import BulkOperationBuilder


def mend_bulk_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop the `sort` that PyMongo hands over with each update or replacement; ours never have one."""
    for name in ("add_update", "add_replace"):
        monkeypatch.setattr(BulkOperationBuilder, name, _without_sort(getattr(BulkOperationBuilder, name)))


def _without_sort(method: Callable[..., None]) -> Callable[..., None]:
    def mended(*arguments: object, sort: object = None, **options: object) -> None:
        if sort is not None:
            raise NotImplementedError("mongomock cannot sort in a bulk write")
        method(*arguments, **options)

    return mended
