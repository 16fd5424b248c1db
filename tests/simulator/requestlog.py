"""What was asked of the simulator, for tests that count requests."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """An answered request: weight as counted, time of its arrival in ms UTC, status 0 where no answer
    went out."""

    path: str
    params: Mapping[str, str]
    status: int
    weight: int
    time: int


class RequestLog:
    """The latest records, and counts of all of them since the start."""

    def __init__(self, kept: int) -> None:
        self.records: deque[Record] = deque(maxlen=kept)
        self._paths: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._weight = 0

    def add(self, record: Record) -> None:
        """Keep and count a record."""
        self.records.append(record)
        self._paths[record.path] += 1
        self._statuses[str(record.status)] += 1
        self._weight += record.weight

    def counts(self) -> dict[str, Any]:
        """Return the number of requests, in all, by path and by status, and the sum of their weights."""
        return {
            "total": self._paths.total(),
            "weight": self._weight,
            "paths": dict(self._paths),
            "statuses": dict(self._statuses),
        }
