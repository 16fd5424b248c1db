"""What a format is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from backend.core.columns import Columns
from backend.core.series import Series
from backend.formats.layout import Layout


class Encoder(Protocol):
    """Writes one answer, piece by piece. What it keeps in memory does not grow with what it writes."""

    def begin(self) -> bytes:
        """What stands before the candles."""

    def candles(self, columns: Columns) -> bytes:
        """The next candles; perhaps nothing until there are enough of them."""

    def end(self, following: int | None) -> Iterable[bytes]:
        """What stands after the candles; `following` is where the next page begins, None for nowhere."""

    def close(self) -> None:
        """Let go of what was kept, whether or not the answer got to its end."""


@dataclass(frozen=True, slots=True)
class Format:
    """`extension` names its files, None where an answer is not for keeping.

    `compact` ones are compressed inside, so that compressing them once more is in vain. `stamped` ones have
    the open time as text too. `tells_next` ones say where the next page begins.
    """

    name: str
    media_type: str
    extension: str | None
    make: Callable[[Series, Layout], Encoder]
    compact: bool = False
    stamped: bool = False
    tells_next: bool = False
