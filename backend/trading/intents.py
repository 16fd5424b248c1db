"""What somebody wants of a venue, written down before it is sent, and what became of it. Pure.

The id of an intent is the client order id of its order. So the venue can be asked for that order whatever
happened to the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType

from backend.trading.account import Mode
from backend.trading.rows import Order, Status
from backend.trading.tickets import Ticket

DIGITS = 31
"""Digits of an id after its first letter: 32 characters are legal at every venue."""

HEX = frozenset("0123456789abcdef")

FINISHED = frozenset((Status.FILLED, Status.CANCELLED, Status.EXPIRED, Status.FAILED))


class State(StrEnum):
    """The state of an intent."""

    SENDING = "sending"
    """It is written down; the bytes may have left."""
    UNKNOWN = "unknown"
    """It was sent, and no answer says what became of it."""
    ACCEPTED = "accepted"
    """The venue has the order."""
    REFUSED = "refused"
    """The venue refused the order."""
    NEVER_ARRIVED = "never_arrived"
    """The venue can no longer accept the order, and does not have it."""


MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.SENDING: frozenset((State.UNKNOWN, State.ACCEPTED, State.REFUSED, State.NEVER_ARRIVED)),
        State.UNKNOWN: frozenset((State.ACCEPTED, State.REFUSED, State.NEVER_ARRIVED)),
        State.ACCEPTED: frozenset(),
        State.REFUSED: frozenset((State.ACCEPTED,)),
        State.NEVER_ARRIVED: frozenset((State.ACCEPTED,)),
    }
)
"""The states that follow a state. No state leads back to sending. An order that is seen at the venue is
accepted, whatever was believed before."""


def states_before(state: State) -> tuple[State, ...]:
    """The states that lead to `state`."""
    return tuple(before for before, after in MOVES.items() if state in after)


READS = 2
"""Looks that must find nothing of an order before it counts as never arrived."""


def has_never_arrived(last_moment: int, absent: Sequence[int]) -> bool:
    """Whether the venue can no longer accept an order, and does not have it.

    `absent` are the start times, by the venue's clock, of looks that found nothing. A look that failed does
    not count.
    """
    return sum(moment > last_moment for moment in absent) >= READS


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Moments are in ms: `created`, `settled` and `due` by this service's clock, `signed` and `last_moment`
    by the venue's.

    `last_moment` is the last one at which the venue can accept the order. `value` is the most that the order
    may be worth in quote coins, None if unknown. `caller` is the name of the API key, `source` what made the
    intent: `api`, `close`, `kill`, or `amend` or `twap` and an id. `asked` is the digest of the ticket as it
    was asked for. `order` is the order as the venue showed it last. `absent` are moments of questions that
    found nothing at the venue.
    An `active` intent is asked for again at `due`. `settled` is the moment at which the service learnt that
    nothing more happens to the order.
    """

    id: str
    account: str
    venue: str
    mode: Mode
    ticket: Ticket
    value: Decimal | None
    asked: str
    caller: str
    source: str
    created: int
    signed: int
    last_moment: int
    due: int
    state: State = State.SENDING
    order_id: str = ""
    reason: str = ""
    order: Order | None = None
    absent: tuple[int, ...] = ()
    active: bool = True
    settled: int | None = None

    @property
    def undecided(self) -> bool:
        """Whether nobody knows yet if there is such an order."""
        return self.state in (State.SENDING, State.UNKNOWN)

    @property
    def finished(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self.order is not None and self.order.status in FINISHED


def is_intent_id(client_id: str) -> bool:
    """Whether an order's client id has the form of ours, which no person and hardly another program makes."""
    return len(client_id) == 1 + DIGITS and client_id[0].lower() == "i" and set(client_id[1:].lower()) <= HEX


def digest(ticket: Ticket) -> str:
    """What tells two tickets apart."""
    return sha256(repr(ticket).encode()).hexdigest()


def intent_id(account: str, key: str) -> str:
    """The id of the intent of an account and an idempotency key: always the same."""
    named = sha256(f"{account}\n{key}".encode())
    return f"i{named.hexdigest()[:DIGITS]}"
