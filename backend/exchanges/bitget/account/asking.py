"""What Bitget's classic (v2) and unified (v3) accounts share: how they are asked, and some words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from backend.core.windows import DAY
from backend.exchanges.base import Answer, Request
from backend.exchanges.bitget.market import ADDRESS, VENUE
from backend.exchanges.private.venue import Call
from backend.exchanges.private.wire import Id, Told, given, question, read
from backend.trading.rows import Product, Status, Wanted

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


YES_NO: Mapping[str, bool | None] = MappingProxyType({"yes": True, "no": False, "": None})


def asked(path: str, params: Mapping[str, str], kind: type[Data], make: Callable[[Data], Said]) -> Call[Said]:
    """A question that counts once for the address and once for its own path."""

    return question(Request(path, params, {ADDRESS: 1, path: 1}), kind, make, VENUE)


def sent(path: str, body: Mapping[str, str]) -> Call[str]:
    """A request that changes something, once: its answer says the venue's id of the order."""
    request = Request(
        path, cost={ADDRESS: 1, path: 1}, method="POST", body=msgspec.json.encode(given(body)), urgent=True
    )
    return question(request, Told[Acknowledged], lambda said: str(said.data.order_id), VENUE)


def changed(path: str, body: Mapping[str, str]) -> Call[None]:
    """The same where the answer says nothing of use."""
    call = sent(path, body)

    def parse(answer: Answer) -> None:
        read(Told[Any], answer, VENUE)

    return Call(call.request, parse)


class Acknowledged(msgspec.Struct, rename="camel"):
    """What the venue says of an order that it accepted."""

    order_id: Id = ""


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
