"""Limits of long answers in progress: for each kind one limit in all, and one for each client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from backend.errors import TooManyStreams

RETRY_AFTER = 5


class Room:
    """Places for `most` answers of a kind, of which one client takes at most three quarters."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._share = most * 3 // 4
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are in progress."""
        return self._taken.total()

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """Take a place while the block runs. Raises TooManyStreams if there is none."""
        if self.taken >= self._most:
            raise self._full(f"{self._most} {self._what} are in progress, which is the limit")
        if self._taken[client] >= self._share:
            raise self._full(f"{self._share} {self._what} are in progress for you, which is the limit")
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]

    def _full(self, why: str) -> TooManyStreams:
        return TooManyStreams(f"{why}: close some, or try again later", retry_after=RETRY_AFTER)


class Rooms:
    """The kinds of long answers of one process."""

    def __init__(self) -> None:
        self.waiting = Room("requests that wait for a sync", 200)
        self.streams = Room("streams", 200)
        self.changes = Room("streams of changes", 200)
        self.events = Room("answers with the events of a job", 200)
        self.data = Room("answers with candles", 400)
        self.imports = Room("imports", 4)
