"""Money: exact decimal numbers, read from text and never through a float. Nothing rounds them silently."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from functools import reduce

LONGEST = 80
"""Longest readable number, in characters."""

LARGEST = 30
FINEST = -40
"""The smallest and largest power of ten of a number. All prices, sizes and fees are well inside."""

_CHARACTERS = frozenset("0123456789.+-eE")
_ROOM = Context(prec=3 * LONGEST, rounding=ROUND_DOWN)
"""Enough digits for any product or quotient of two such numbers."""
_FINEST = Decimal(1).scaleb(FINEST)
_SMALL = Decimal("1e-12")


class Exact(Decimal):
    """A number from `exact`: finite, and of a credible size."""

    __slots__ = ()


def exact(said: object) -> Exact:
    """The number of a text or number in a venue's JSON; raises ValueError if it is not a number.

    A float is refused: its digits may differ from the sent ones.
    """
    if isinstance(said, bool) or not isinstance(said, str | int | Decimal):
        raise ValueError(f"a number was expected, not {type(said).__name__}")
    text = str(said)
    if len(text) > LONGEST or not _CHARACTERS.issuperset(text):
        raise ValueError(f"{text[:LONGEST]!r} is no number that can be money")
    try:
        number = Exact(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not number:
        return Exact(0)
    if number.adjusted() > LARGEST or number != number.quantize(_FINEST, context=_ROOM):
        raise ValueError(f"{text!r} is too large or too fine to be money")
    return number


def plain(number: Decimal) -> str:
    """The number in the form that venues accept: without an exponent, without a sign of zero, without extra
    zeros."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text in ("-0", "") else text


def total(numbers: Iterable[Decimal]) -> Decimal:
    """The sum, to the last digit."""
    return reduce(_ROOM.add, numbers, Decimal(0))


def times(*numbers: Decimal) -> Decimal:
    """The product, to the last digit."""
    return reduce(_ROOM.multiply, numbers, Decimal(1))


def part_of(number: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`number * part / whole`, towards zero in the twelfth decimal place."""
    exactly = _ROOM.divide(_ROOM.multiply(number, part), whole)
    return exactly.quantize(_SMALL, rounding=ROUND_DOWN, context=_ROOM)


def opposite(number: Decimal) -> Decimal:
    """The number with the other sign, every digit kept; zero has no sign."""
    return number.copy_negate() if number else number.copy_abs()


def is_multiple(number: Decimal, *, step: Decimal) -> bool:
    """Whether a price or a size is a multiple of a market's step."""
    return _ROOM.remainder(number, _checked(step)) == 0


def round_down(number: Decimal, *, step: Decimal) -> Decimal:
    """The nearest multiple of the step towards zero: a size never grows."""
    return _ROOM.multiply(_ROOM.divide_int(number, _checked(step)), step)


def _checked(step: Decimal) -> Decimal:
    if not step.is_finite() or step <= 0:
        raise ValueError(f"a step is more than nothing, not {step}")
    return step
