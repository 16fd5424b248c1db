"""What an account's socket tells: that something happened. What it was is asked for."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from backend.exchanges.sockets import Farewell, Reply


class Happened(NamedTuple):
    """Something changed in the account."""


class Admitted(NamedTuple):
    """The venue knows whose connection it is."""


class Denied(NamedTuple):
    """The venue refuses a message, in its own words."""

    message: str


Event: TypeAlias = Happened | Admitted | Denied | Reply | Farewell
