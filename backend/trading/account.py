"""An account of a user at a venue, and its sealed keys. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from backend.trading.risk import Limits
from backend.trading.rows import KeyFacts, Right


class Mode(StrEnum):
    """The kind of money in an account."""

    PAPER = "paper"
    """Play money of this service, at the prices of a real market."""
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
    limits: Limits = Limits()

    @property
    def may_withdraw(self) -> bool:
        """Whether these rights let somebody take money away, or may do so."""
        return may_withdraw(self.key)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that the owner should read."""
        told: list[str] = []
        if self.mode is Mode.PAPER:
            return ()
        if self.key.bindable and not self.key.addresses:
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
