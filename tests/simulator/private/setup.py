"""How an account's symbols are set: leverage of each side and margin mode; the position mode is in its facts.

A venue changes the position mode only where there is no position and no open order.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator.private.accounts import Asked, Refused
from tests.simulator.private.rows import FUTURES, Pair, Product


@dataclass(slots=True)
class Levers:
    """Of one symbol."""

    long: int = 10
    short: int = 10
    margin_mode: str = "crossed"


def levers(asked: Asked, product: Product, pair: Pair) -> Levers:
    """How a symbol is set; as all are at first."""
    kept: Levers = asked.book.levers.setdefault((product, pair), Levers())
    return kept


def leverage_of(asked: Asked, refused: Refused) -> int:
    """The leverage that is asked for."""
    said = asked.params.get("leverage", "")
    if not said.isdigit() or not 0 < int(said) <= 125:
        raise refused
    return int(said)


def set_hedged(asked: Asked, hedged: bool, refused: Refused) -> None:
    """Change the position mode, or refuse it."""
    book = asked.book
    if book.facts.hedged is not hedged and (book.open or any(map(book.positions, FUTURES))):
        raise refused
    book.facts.hedged = hedged
