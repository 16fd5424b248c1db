"""The meaning of a venue's refusal of a private request, and how long it may still accept one."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The meaning of a code: what the caller can do."""

    REFUSED = "refused"
    """The venue did not do it, and will not do it."""
    UNKNOWN = "unknown"
    """The venue may have done it: ask for the result before you send it again."""
    RATE_LIMIT = "rate_limit"
    """Too many were sent: wait."""
    CLOCK = "clock"
    """The time of the signature is wrong: read the venue's clock again."""
    KEYS = "keys"
    """The keys are wrong, lack a right, or do not allow this address."""
    MODE = "mode"
    """The request needs another kind or mode of account."""
    ABSENT = "absent"
    """There is no such order. For a question by id this is the answer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A venue's code, its meaning, the venue's own words, and its wait in seconds. `by_venue` is false where
    the answer has no code of the venue, and its meaning was read from its status alone."""

    meaning: Meaning
    code: str
    said: str = ""
    retry_after: float | None = None
    by_venue: bool = True


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
    """The error for the caller."""
    told = f": {excerpt(refusal.said)}" if refusal.said else ""
    message = f"{venue} answered {excerpt(refusal.code)}{told}"
    return ERRORS[refusal.meaning](message, retry_after=refusal.retry_after)


def meaning_of_status(answer: Answer) -> Meaning:
    """The meaning of an answer without a known code, from its status alone."""
    if answer.status == 429:
        return Meaning.RATE_LIMIT
    return Meaning.UNKNOWN if answer.status >= 500 or answer.status == 408 else Meaning.REFUSED


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How long a venue may still accept a request, in ms by its own clock: `window` after the signature, plus
    `margin`, because its machines' clocks differ and a request may wait inside the venue."""

    window: int
    margin: int

    def last_moment(self, signed: int) -> int:
        """The last moment at which the venue may accept a request with that signature time."""
        return signed + self.window + self.margin
