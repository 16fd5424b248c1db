"""How BingX's accounts are asked, how their pages go on, and some words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from backend.exchanges.base import Method, Request
from backend.exchanges.bingx.market import VENUE
from backend.exchanges.private.venue import Call
from backend.exchanges.private.wire import question
from backend.trading.rows import Held, Page, Product, Status

Data = TypeVar("Data")
Said = TypeVar("Said")
Row = TypeVar("Row")

LARGEST_PAGE = 1000
"""Rows that are asked for at once where an endpoint takes a number."""

HELD: Mapping[str, Held] = MappingProxyType({"long": "long", "short": "short", "both": "net", "": "net"})

STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "new": Status.OPEN,
        "pending": Status.OPEN,
        "partially_filled": Status.PARTIALLY_FILLED,
        "partiallyfilled": Status.PARTIALLY_FILLED,
        "filled": Status.FILLED,
        "canceled": Status.CANCELLED,
        "cancelled": Status.CANCELLED,
        "expired": Status.EXPIRED,
        "failed": Status.FAILED,
    }
)


def asked(path: str, params: Mapping[str, str], kind: type[Data], make: Callable[[Data], Said]) -> Call[Said]:
    """A question that counts once for its path, both for the account and for the address."""

    return question(Request(path, params, {path: 1}), kind, make, VENUE)


def sent(
    path: str,
    params: Mapping[str, str],
    kind: type[Data],
    make: Callable[[Data], Said],
    method: Method = "POST",
) -> Call[Said]:
    """A request that changes something, once. All of it stands in parameters. It has a budget of its own:
    the path may be one of a question too."""
    cost = {f"{method} {path}": 1}
    return question(Request(path, params, cost, method=method, urgent=True), kind, make, VENUE)


def halved(rows: Sequence[Row], *, usual: int) -> Page[Row]:
    """A page that no cursor leads on from. It is full from the `usual` number of rows on, which is what comes
    when the number that was asked for is ignored."""
    return Page(tuple(rows), full=len(rows) >= usual)


def numbered(rows: Sequence[Row], cursor: str) -> Page[Row]:
    """A page of those that are asked for by number: only an empty one is the last."""
    return Page(tuple(rows), cursor=str(int(cursor or "1") + 1) if rows else None)


def product_of(symbol: str) -> Product:
    """What a perpetual symbol is traded in: BTC-USDT, BTC-USDC, or BTC-USD against the coin itself."""
    quote = symbol.upper().rpartition("-")[2]
    return {"USDC": Product.PERPETUAL_USDC, "USD": Product.PERPETUAL_COIN}.get(quote, Product.PERPETUAL_USDT)


def paid_in(symbol: str) -> str:
    """The coin in which fees of a perpetual symbol are paid; on the demo account VST, as fills say."""
    base, _, quote = symbol.upper().rpartition("-")
    return base if quote == "USD" else quote
