"""An account of a user at a venue, and how its sealed keys name it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from backend.trading.rows import KeyFacts, Right


class Mode(StrEnum):
    """Whose money an account holds."""

    DEMO = "demo"
    """The venue's play money."""
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`flavour` is the venue's kind of account, `uid` whose it is there. Moments are in ms UTC.

    `key` is what the venue said of the key when it was asked last, at `checked`. With the keys of a frozen
    account the service asks for nothing.
    """

    id: str
    venue: str
    mode: Mode
    label: str
    flavour: str
    uid: str
    key: KeyFacts
    created: int
    checked: int
    frozen: bool = False

    @property
    def may_withdraw(self) -> bool:
        """Whether whoever has the keys may take the money away, as far as the venue's words tell."""
        return may_withdraw(self.key)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its owner should know."""
        told = []
        if not self.key.addresses:
            told.append("The key may be used from any address: name this machine's address at the exchange.")
        if self.may_withdraw:
            told.append("The key may withdraw: make one at the exchange that may not.")
        elif Right.OTHER in self.key.rights:
            told.append("The exchange names a right of the key that the service does not know.")
        return tuple(told)


def may_withdraw(key: KeyFacts) -> bool:
    """Whether a key may take money away."""
    return Right.WITHDRAW in key.rights


@dataclass(frozen=True, slots=True)
class Sealed:
    """Sealed keys, and the name of the master key that sealed them. Neither tells anything of the keys."""

    text: str = field(repr=False)
    by: str
