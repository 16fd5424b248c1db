"""What a venue's refusal of a private request means, and what became of a request that nobody answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from backend.errors import (
    ClockRefused,
    ExchangeError,
    ExchangeRefused,
    KeysRefused,
    ModeRefused,
    OrderAbsent,
    OutcomeUnknown,
    RateLimited,
)
from backend.exchanges.base import Answer, excerpt


class Meaning(StrEnum):
    """What a code says about the request: what the caller can do about it."""

    REFUSED = "refused"
    """It was not done, and will not be."""
    UNKNOWN = "unknown"
    """It may have been done: ask for it, and do not send it again before."""
    RATE_LIMIT = "rate_limit"
    """Too many were sent: wait."""
    CLOCK = "clock"
    """It was signed at the wrong time: read the venue's clock anew."""
    KEYS = "keys"
    """The keys are wrong, or may not do this, or not from here."""
    MODE = "mode"
    """The account is of another kind, or set another way, than the request is for."""
    ABSENT = "absent"
    """There is no such order: a finding, where one was asked for by its id."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A venue's code, what it means, the venue's own words, and the seconds that it says to wait."""

    meaning: Meaning
    code: str
    said: str = ""
    retry_after: float | None = None


ERRORS: Mapping[Meaning, type[ExchangeError]] = MappingProxyType(
    {
        Meaning.REFUSED: ExchangeRefused,
        Meaning.UNKNOWN: OutcomeUnknown,
        Meaning.RATE_LIMIT: RateLimited,
        Meaning.CLOCK: ClockRefused,
        Meaning.KEYS: KeysRefused,
        Meaning.MODE: ModeRefused,
        Meaning.ABSENT: OrderAbsent,
    }
)


def error_of(venue: str, refusal: Refusal) -> ExchangeError:
    """The error that callers meet."""
    told = f": {excerpt(refusal.said)}" if refusal.said else ""
    message = f"{venue} answered {excerpt(refusal.code)}{told}"
    return ERRORS[refusal.meaning](message, retry_after=refusal.retry_after)


def meaning_of_status(answer: Answer) -> Meaning:
    """What an answer without a code that is known means, by its status alone."""
    if answer.status == 429:
        return Meaning.RATE_LIMIT
    return Meaning.UNKNOWN if answer.status >= 500 or answer.status == 408 else Meaning.REFUSED


class Fate(StrEnum):
    """What became of a request whose answer did not come."""

    ACCEPTED = "accepted"
    UNDECIDED = "undecided"
    NEVER_ARRIVED = "never_arrived"


READS = 2
"""Reads that must find nothing of a request, before it is believed that it never arrived."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How long a venue may still accept a request, in ms by its own clock: `window` from the moment of the
    signature, and `margin` because its machines differ and a request may wait inside of it."""

    window: int
    margin: int

    def last_moment(self, signed: int) -> int:
        """The last moment at which a request that was signed then may be accepted."""
        return signed + self.window + self.margin


def fate(last_moment: int, *, found: bool, absent: Sequence[int]) -> Fate:
    """What is known of a request from reads by its client order id.

    `absent` are the moments, by the venue's clock, at which reads began that found nothing of it: no order,
    or OrderAbsent. A read that failed in any other way is not among them.
    """
    if found:
        return Fate.ACCEPTED
    late = [moment for moment in absent if moment > last_moment]
    return Fate.NEVER_ARRIVED if len(late) >= READS else Fate.UNDECIDED
