"""The ledger of an account's history: windows of time that are held, lost or missing. Pure.

A history is several streams: orders, fills and bills of each product. Windows are half-open, in ms UTC by the
venue's clock, and hold the rows whose time lies in them; the time of an order is that of its creation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import Literal, NamedTuple

from backend.core.windows import DAY, HOUR, MINUTE, Spans, Window, intersect, normalise, subtract
from backend.trading.rows import Bill, Fill, Order, Product

SETTLE = 2 * MINUTE
"""What happened later than so much before now is not held yet: a venue may tell of it late."""

OVERLAP = HOUR
"""So much of what is held is read again by each top-up, for rows that came later still."""

TOO_LATE = MINUTE
"""What retention takes away so soon is not asked for: the question may come too late. It counts as lost."""

PIECES = 4
SHORTEST_PIECE = DAY
"""A window that was never asked for is cut into so many pieces, so that they are read side by side; none is
shorter than that."""


class Kind(StrEnum):
    ORDERS = "orders"
    FILLS = "fills"
    BILLS = "bills"


Row = Order | Fill | Bill


class StreamName(NamedTuple):
    """One history of an account. `symbol` is empty where one question tells of all symbols."""

    kind: Kind
    product: Product
    symbol: str = ""

    @property
    def text(self) -> str:
        """As it is written in the database and in answers: `fills/perpetual-usdt/BTC-USDT`."""
        return "/".join(part for part in self if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How a venue tells a history: over `span` ms a question at most, and back `retention` ms, None where it
    names no end. `needs` is what a question has to name besides the product. The rows stand in `parts`
    lists. Orders that ended without a fill are told for `unfilled` ms, None for as long as others."""

    span: int
    retention: int | None
    needs: Literal["nothing", "symbol", "order"]
    parts: int = 1
    unfilled: int | None = None


Why = Literal["beyond_retention", "not_offered"]


class Lost(NamedTuple):
    """A window that the venue does not tell any more, or never told."""

    window: Window
    reason: Why


@dataclass(frozen=True, slots=True)
class StreamLedger:
    """What was read of a stream. `oldest` is the time of the oldest row that ever came.

    `pending` are the orders that were open when their window was read, by id, with their creation: a history
    of orders tells only finished ones, so each is read by itself when it has ended. `filled_only` are the
    parts of `held` that were read when the venue told no more of orders without a fill there.
    """

    held: Spans = ()
    oldest: int | None = None
    pending: Mapping[str, int] = field(default_factory=dict)
    filled_only: Spans = ()

    def with_held(self, window: Window, oldest: int | None, forgotten: int = 0) -> StreamLedger:
        """The same after `window` was read, whose oldest row is of `oldest`. Before `forgotten` (ms) the
        venue told no more of orders without a fill; what was held before that stays as it was read."""
        known = [moment for moment in (self.oldest, oldest) if moment is not None]
        late = subtract(intersect((window,), Window(0, forgotten)), self.held)
        return replace(
            self,
            held=normalise((*self.held, window)),
            oldest=min(known, default=None),
            filled_only=normalise((*self.filled_only, *late)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How complete a stream is over `[first, until)`: every ms is held, lost or missing.

    `unproven` are those held windows before the oldest row of a stream whose venue names no retention: the
    venue told of nothing there, and may have forgotten. `filled_only` are held windows that may lack orders
    which ended without a fill.
    """

    first: int
    until: int
    held: Spans
    lost: tuple[Lost, ...]
    missing: Spans
    unproven: Spans
    filled_only: Spans
    pending: Mapping[str, int]

    @property
    def is_complete(self) -> bool:
        """Whether everything that the venue can tell is held, without doubt."""
        return not self.missing and not self.pending


def standing(
    ledger: StreamLedger, offer: Offer | None, first: int, now: int, today: int | None = None
) -> Standing:
    """The state of a stream at `now`. The account cannot have traded before `first`.

    What retention has taken away until `today` is lost, where that is later: a reading takes some time, and
    its last questions find a little less than its first ones.
    """
    until = max(first, now - SETTLE)
    whole = Window(first, until)
    held = intersect(ledger.held, whole)
    missing = subtract((whole,) if first < until else (), held)
    lost: Spans = ()
    reason: Why = "beyond_retention"
    if offer is None:
        lost, reason = missing, "not_offered"
    elif offer.retention is not None:
        taken = max(now, today or now) - offer.retention + 2 * TOO_LATE
        lost = intersect(missing, Window(first, max(first, taken)))
    unproven: Spans = ()
    if offer is not None and offer.retention is None:
        unproven = intersect(held, Window(first, until if ledger.oldest is None else ledger.oldest))
    return Standing(
        first=first,
        until=until,
        held=held,
        lost=tuple(Lost(window, reason) for window in lost),
        missing=subtract(missing, lost),
        unproven=unproven,
        filled_only=intersect(ledger.filled_only, whole),
        pending=ledger.pending,
    )


def to_ask(stands: Standing, offer: Offer, since: int, now: int) -> list[Window]:
    """The windows to read now, oldest first, for all that can be had from `since` on to be held.

    None is wider than a question may be. What retention takes away within a minute is left out. The newest
    hour that is held is read again.
    """
    begin = since if offer.retention is None else max(since, now - offer.retention + TOO_LATE)
    again = [Window(window.end - OVERLAP, window.end) for window in stands.held[-1:]]
    wanted = intersect(normalise([*stands.missing, *again]), Window(begin, stands.until))
    return [piece for window in wanted for piece in pieces(window, offer.span)]


def pieces(window: Window, span: int) -> Iterator[Window]:
    """A window cut into pieces of equal length: enough of them to read side by side, none over `span`."""
    length = window.end - window.start
    number = max(-(-length // span), min(PIECES, length // SHORTEST_PIECE), 1)
    edges = [window.start + length * place // number for place in range(number + 1)]
    yield from (Window(start, end) for start, end in pairwise(edges))


def halves(window: Window) -> tuple[Window, Window] | None:
    """The two halves of a window; None for one that has none."""
    middle = (window.start + window.end) // 2
    if middle == window.start:
        return None
    return Window(window.start, middle), Window(middle, window.end)


def time_of(row: Row) -> int:
    """The time by which a row lies in a window."""
    return row.created if isinstance(row, Order) else row.time


def ids_of(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows by what tells them apart within their stream.

    A venue may give a fill no id: then it is told apart by all that it says, and twins of one order by their
    number, so that the rows of an order have to come together.
    """
    named: dict[str, Row] = {}
    for row in rows:
        name = _id_of(row)
        if isinstance(row, Fill) and not row.fill_id:
            name = next(
                candidate for number in range(1, 10_000) if (candidate := f"{name}:{number}") not in named
            )
        named[name] = row
    return named


def _id_of(row: Row) -> str:
    if isinstance(row, Order):
        return row.order_id
    if isinstance(row, Bill):
        return row.bill_id
    return row.fill_id or f"{row.order_id}:{row.time}:{row.side}:{row.price}:{row.size}"
