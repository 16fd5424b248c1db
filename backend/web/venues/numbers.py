"""Numbers as venues write them: decimal text without exponents that reads back as the very same float."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from numpy.typing import NDArray

from backend.core.columns import is_absent


def plain(value: float) -> str:
    """84128.0 -> "84128", 1e-07 -> "0.0000001"."""
    text = repr(value)
    if "e" in text:
        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def padded(value: float) -> str:
    """At least eight decimals: 84128.5 -> "84128.50000000"."""
    whole, _, decimals = plain(value).partition(".")
    return f"{whole}.{decimals:0<8}"


@cache
def step(decimals: int) -> str:
    """The smallest step of so many decimals: 2 -> "0.01", 0 -> "1"."""
    return f"{Decimal(1).scaleb(-decimals):f}"


def texts(column: NDArray[Any] | None, size: int, write: Callable[[Any], object]) -> list[object]:
    """A column as a venue writes it; None where it is absent."""
    if column is None:
        return [None] * size
    gone = is_absent(column).tolist()
    return [None if lacks else write(value) for value, lacks in zip(column.tolist(), gone, strict=True)]
