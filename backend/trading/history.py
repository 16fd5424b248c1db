"""The histories that venues tell of an account, and how. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    ORDERS = "orders"
    FILLS = "fills"
    BILLS = "bills"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How a venue tells a history: over `span` ms a question at most, and back `retention` ms, None where it
    names no end. `needs` is what a question has to name besides the product."""

    span: int
    retention: int | None
    needs: Literal["nothing", "symbol", "order"]
