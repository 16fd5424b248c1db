"""A plausible answer that is not true: once, in the place of the right one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, Literal

from tests.simulator.answers import Answer

Kind = Literal["empty", "first half", "last half", "old mirror"]
KINDS: tuple[Kind, ...] = ("empty", "first half", "last half", "old mirror")
TIMES = ("time", "T", "serverTime")
"""What venues call a moment, where it has a name."""


@dataclass(slots=True)
class Lie:
    """Tells its lie in answer to the question number `position`, counted from 0.

    A list is empty or cut in half; an old mirror knows no candle that opens at or after `until` (ms UTC), and
    its clock shows that moment. What is no list and no clock is told as it is.
    """

    kind: Kind
    position: int
    until: int
    asked: int = 0

    @property
    def was_told(self) -> bool:
        """Whether so many questions came."""
        return self.asked > self.position

    def instead_of(self, answer: Answer) -> Answer:
        """The answer, or the lie if it is its turn."""
        self.asked += 1
        if self.asked != self.position + 1 or answer.status != 200:
            return answer
        told = json.dumps(self._told(json.loads(answer.body))).encode()
        old = {"Date": formatdate(self.until / 1000, usegmt=True)} if self.kind == "old mirror" else {}
        return replace(answer, body=told, headers={**answer.headers, **old})

    def _told(self, value: Any) -> Any:
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, dict):
            return {name: self._field(name, inner) for name, inner in value.items()}
        return value

    def _field(self, name: str, value: Any) -> Any:
        if name in TIMES and self.kind == "old mirror":
            return type(value)(min(int(value), self.until))
        return self._told(value)

    def _list(self, rows: list[Any]) -> list[Any]:
        half = len(rows) // 2
        match self.kind:
            case "empty":
                return []
            case "first half":
                return rows[:half]
            case "last half":
                return rows[half:]
        return [row for row in rows if self._is_known(row)]

    def _is_known(self, row: Any) -> bool:
        if isinstance(row, list):
            return int(row[0]) < self.until
        return int(next((row[name] for name in ("time", "T", "openTime") if name in row), 0)) < self.until
