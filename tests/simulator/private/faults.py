"""What a test can make wrong with the answers to an account; change the attributes at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from tests.simulator.private.book import Book
from tests.simulator.private.rows import Bill, Fill, Order, Plan
from tests.simulator.private.shelf import Row


@dataclass(slots=True)
class Coded:
    """Answer the next `count` questions whose path contains `path` with a code of the venue."""

    code: str
    path: str = ""
    count: int = 1
    message: str = "refused for a test"


@dataclass(slots=True)
class Emptied:
    """Tell no rows to the next `count` questions for a list whose path contains `path`: an empty success."""

    path: str = ""
    count: int = 1


Fault = TypeVar("Fault", Coded, Emptied)


@dataclass(slots=True)
class Finishing:
    """An order that is filled once `questions` more for paths that contain `path` were answered."""

    order: int
    questions: int = 1
    path: str = "history"


Manner = Literal[
    "plain",  # as it should be
    "drop",  # the order is not accepted, and no answer comes
    "accept_drop",  # it is accepted, and no answer comes
    "accept_error",  # it is accepted, and the answer is an HTTP 502 of a machine in between
    "accept_forbidden",  # the same with an HTTP 403 without a code of the venue
    "accept_garbage",  # it is accepted, and half of the answer comes
    "accept_busy",  # it is accepted, and the answer says that the venue is busy
    "busy",  # it is not accepted, and the answer says that the venue is busy
    "refuse",  # it is refused
    "accept_refuse",  # it is refused in the venue's own words, and accepted nevertheless
    "late",  # no answer comes, and it is accepted `delay` ms later
]
"""What a venue does with an order that arrives."""


@dataclass(slots=True)
class Met:
    """How the next order is met. Lists and questions do not show it for `hidden` ms after it is accepted."""

    manner: Manner = "plain"
    delay: int = 0
    hidden: int = 0


@dataclass(slots=True)
class PrivateFaults:
    """Switches of misbehaviour towards accounts, beside those of `Faults` (resets, statuses, `page_cap`).

    `withheld` are ids of orders, fills and bills that no list tells, though an order is found by its id.
    `late` maps ids to the ms after their time at which lists begin to tell them; `lateness` is that of all
    others.
    `span_cap` (ms) is a longest window below the documented one.

    `placing` is how the next orders are met, one after the other; then they are met as they should be.
    For `id_memory` ms after an order the venue refuses another one with its client id; -1 never refuses one.
    `on_placing` is called when an order was `received`, was `accepted`, and is about to be `answered`.
    """

    withheld: set[int] = field(default_factory=set)
    late: dict[int, int] = field(default_factory=dict)
    lateness: int = 0
    span_cap: int | None = None
    codes: list[Coded] = field(default_factory=list)
    empties: list[Emptied] = field(default_factory=list)
    finishing: list[Finishing] = field(default_factory=list)
    placing: list[Met] = field(default_factory=list)
    hidden: dict[int, int] = field(default_factory=dict)
    waiting: list[tuple[int, Callable[[int], None]]] = field(default_factory=list)
    on_placing: Callable[[str], None] = lambda _point: None
    id_memory: int = 6 * 3_600_000

    def met(self) -> Met:
        """How the order is met that arrives now."""
        return self.placing.pop(0) if self.placing else Met()

    def hides(self, number: int, now: int) -> bool:
        """Whether nothing shows an order yet."""
        return now < self.hidden.get(number, 0)

    def told(self, rows: Iterable[Row], now: int) -> list[Row]:
        """The rows that lists tell at a moment (ms)."""
        return [row for row in rows if self.tells(row, now)]

    def tells(self, row: Order | Fill | Bill | Plan, now: int) -> bool:
        """Whether lists tell a row at a moment (ms)."""
        if row.number in self.withheld or self.hides(row.number, now):
            return False
        late = self.late or self.lateness
        return not late or row.time + self.late.get(row.number, self.lateness) <= now

    def take_code(self, path: str) -> Coded | None:
        """The code that a question is to get, counted; None for no code."""
        return _taken(self.codes, path)

    def take_empty(self, path: str) -> bool:
        """Whether a question for a list is to get no rows; counted."""
        return _taken(self.empties, path) is not None

    def go_on(self, path: str, book: Book, now: int) -> None:
        """Count a question, and finish the orders that are due before it is answered."""
        for due in [one for one in self.waiting if one[0] <= now]:
            self.waiting.remove(due)
            due[1](now)
        for finishing in list(self.finishing):
            if finishing.path not in path:
                continue
            if finishing.questions > 0:
                finishing.questions -= 1
                continue
            self.finishing.remove(finishing)
            if finishing.order in book.open:
                book.finish(finishing.order, max(now, book.now))


def _taken(waiting: Sequence[Fault], path: str) -> Fault | None:
    for fault in waiting:
        if fault.count > 0 and fault.path in path:
            fault.count -= 1
            return fault
    return None


def printable(faults: PrivateFaults) -> dict[str, Any]:
    """The switches as JSON values; ids are texts."""
    return {
        "withheld": sorted(map(str, faults.withheld)),
        "late": {str(number): wait for number, wait in faults.late.items()},
        "lateness": faults.lateness,
        "span_cap": faults.span_cap,
        "codes": [
            {"code": one.code, "path": one.path, "count": one.count, "message": one.message}
            for one in faults.codes
        ],
        "empties": [{"path": one.path, "count": one.count} for one in faults.empties],
        "finishing": [
            {"order": str(one.order), "questions": one.questions, "path": one.path}
            for one in faults.finishing
        ],
    }


def parsed(value: Mapping[str, Any]) -> PrivateFaults:
    """Switches from JSON, the others as they are by default; ids as texts or numbers."""
    known = set(PrivateFaults.__slots__) - {"placing", "hidden", "waiting", "on_placing", "id_memory"}
    if unknown := set(value) - known:
        raise ValueError(f"unknown faults of accounts {sorted(unknown)}; known are {sorted(known)}")
    span = value.get("span_cap")
    return PrivateFaults(
        withheld=set(map(int, value.get("withheld", ()))),
        late={int(number): int(wait) for number, wait in value.get("late", {}).items()},
        lateness=int(value.get("lateness", 0)),
        span_cap=None if span is None else int(span),
        codes=[Coded(**one) for one in value.get("codes", ())],
        empties=[Emptied(**one) for one in value.get("empties", ())],
        finishing=[Finishing(**{**one, "order": int(one["order"])}) for one in value.get("finishing", ())],
    )
