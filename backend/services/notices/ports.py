"""What notices need of the store and of the ways to people, as shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backend.trading.notice import Notice


class NoticeStore(Protocol):
    """Where notices are kept until they are delivered. Every call may raise DatabaseUnavailable."""

    async def add(self, notice: Notice) -> bool:
        """Keep a new one; False if it is there: then it counts that."""

    async def due(self, now: int, limit: int) -> Sequence[Notice]:
        """Those that somebody does not have yet, and whose time has come, the oldest first."""

    async def claim(self, notice: Notice, due: int) -> bool:
        """Postpone one to `due` and count a try; False if another process has done so."""

    async def delivered(self, notice: Notice, target: str) -> None:
        """A target has it."""

    async def give_up(self, notice: Notice) -> None:
        """Nobody gets it any more."""


class Way(Protocol):
    """A way to a person."""

    async def send(self, title: str, text: str, notice: Notice) -> None:
        """Deliver a notice, within a time limit. Raises NoticeNotDelivered."""
