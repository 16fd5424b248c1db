"""Documents that cannot be read, such as those of another version, must not hide the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from backend.store.mongo import Document

log = logging.getLogger(__name__)

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""The errors of a reader with an unexpected document."""

Found = TypeVar("Found")


class Readable(Generic[Found]):
    """Reads the documents of a collection one by one. A document that `read` cannot parse is logged once and
    left out."""

    def __init__(self, collection: str, read: Callable[[Document], Found]) -> None:
        self._collection = collection
        self._read = read
        self._told: set[object] = set()

    def __call__(self, documents: Iterable[Document]) -> Iterator[Found]:
        for document in documents:
            try:
                yield self._read(document)
            except UNREADABLE as error:
                self._tell(document["_id"], error)

    def _tell(self, name: object, error: Exception) -> None:
        if name not in self._told:
            self._told.add(name)
            log.error(
                "%s: document %r cannot be read, so the service ignores it; repair or delete it: %r",
                self._collection,
                name,
                error,
            )
