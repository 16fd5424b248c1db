"""The last changes, numbered, so that a reader can continue where it stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import uuid4

from backend.core.job import Job
from backend.core.series import Series

Kind = Literal["job", "follow", "series", "health"]

MOST_CHANGES = 1000
"""So many are kept: who is further behind reads all anew."""

LONGEST_NUMBER = 15
"""Digits."""


class Health(NamedTuple):
    """How a process is: what keeps the database from its work, "" for nothing; whether jobs are done here;
    and a sentence for each thing that does not work."""

    database_trouble: str
    worker: Literal["running", "stopped", "none"]
    troubles: tuple[str, ...]


class Changed(NamedTuple):
    """Series of which something changed; `more`: others did too, which are not named."""

    series: tuple[Series, ...]
    more: bool


class Change(NamedTuple):
    """`about` is what it is like now: the job, the health; or which series it is about."""

    id: str
    kind: Kind
    about: Job | Changed | Health


class ChangeLog:
    """`run` changes with each `begin`: what was told before it cannot be gone on from."""

    def __init__(self, most: int = MOST_CHANGES) -> None:
        self._changes: deque[Change] = deque(maxlen=most)
        self._number = 0
        self._run = ""

    def begin(self) -> None:
        """Forget what was, and take no place of before."""
        self._run = uuid4().hex[:12]
        self._number = 0
        self._changes.clear()

    def add(self, kind: Kind, about: Job | Changed | Health) -> None:
        self._number += 1
        self._changes.append(Change(self._place(self._number), kind, about))

    @property
    def end(self) -> str:
        """The id of the last change, or of the beginning."""
        return self._place(self._number)

    def after(self, place: str) -> Sequence[Change] | None:
        """The changes after the one with this id, None where they cannot be told."""
        run, _, number = place.partition("-")
        if run != self._run or not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER):
            return None
        missed = self._number - int(number)
        if not 0 <= missed <= len(self._changes):
            return None
        return list(self._changes)[len(self._changes) - missed :]

    def _place(self, number: int) -> str:
        return f"{self._run}-{number}"
