"""From columns to Python values, where a format writes row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from backend.core.columns import OPTIONAL, is_absent
from backend.formats.layout import Column

MARKS = ("partial", "filled")
"""Flags that rows of JSON have only where they are true."""


def values(name: str, column: Column, nothing: object) -> list[Any]:
    """A column's values, `nothing` where there is none."""
    if isinstance(column, list):
        return column
    listed: list[Any] = column.tolist()
    if name in OPTIONAL:
        for place in np.flatnonzero(is_absent(column)).tolist():
            listed[place] = nothing
    return listed


def is_empty(name: str, column: Column) -> bool:
    """Whether no row has anything to say here."""
    if isinstance(column, list):
        return False
    if name in MARKS:
        return not column.any()
    return name in OPTIONAL and bool(is_absent(column).all())
