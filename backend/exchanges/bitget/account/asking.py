"""What Bitget's classic (v2) and unified (v3) accounts share: how they are asked, and some words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

import msgspec

from backend.core.windows import DAY
from backend.exchanges.base import Answer, Request
from backend.exchanges.bitget.market import ADDRESS, VENUE
from backend.exchanges.private.rows import Product, Side, Status
from backend.exchanges.private.venue import Call, Wanted
from backend.exchanges.private.wire import read

Data = TypeVar("Data")
Said = TypeVar("Said")

ORDER_ID = attrgetter("order_id")
FILL_ID = attrgetter("fill_id")
BILL_ID = attrgetter("bill_id")
"""By which pages go on where an answer names no cursor."""

PAGE = 100
RETENTION = 90 * DAY
"""What is older can be had as a file from the website only."""

FUTURES: Mapping[Product, str] = MappingProxyType(
    {
        Product.PERPETUAL_USDT: "USDT-FUTURES",
        Product.PERPETUAL_USDC: "USDC-FUTURES",
        Product.PERPETUAL_COIN: "COIN-FUTURES",
    }
)

SIDES: Mapping[str, Side] = MappingProxyType({"buy": "buy", "sell": "sell"})

STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "live": Status.OPEN,
        "new": Status.OPEN,
        "init": Status.OPEN,
        "partially_filled": Status.PARTIALLY_FILLED,
        "filled": Status.FILLED,
        "canceled": Status.CANCELLED,
        "cancelled": Status.CANCELLED,
    }
)

ROLES: Mapping[str, Literal["maker", "taker"] | None] = MappingProxyType(
    {"maker": "maker", "taker": "taker", "": None}
)

YES_NO: Mapping[str, bool | None] = MappingProxyType({"yes": True, "no": False, "": None})


class Told(msgspec.Struct, Generic[Data]):
    """The envelope of every answer."""

    data: Data


class Listed(msgspec.Struct, Generic[Data]):
    """The envelope of a list, which may be null when it is empty."""

    data: list[Data] = []


def asked(path: str, params: Mapping[str, str], kind: type[Data], make: Callable[[Data], Said]) -> Call[Said]:
    """A question that counts once for the address and once for its own path."""

    def parse(answer: Answer) -> Said:
        return make(read(kind, answer, VENUE))

    return Call(Request(path, params, {ADDRESS: 1, path: 1}), parse)


def window(wanted: Wanted, cursor: str) -> dict[str, str]:
    """The parameters of a page: its times, a symbol if there is one, and its cursor by the name `cursor`."""
    return given(
        {
            "startTime": str(wanted.start),
            "endTime": str(wanted.end),
            "limit": str(PAGE),
            cursor: wanted.cursor,
            "symbol": wanted.symbol,
        }
    )


def given(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters that have a value."""
    return {name: value for name, value in params.items() if value}
