"""How an Extended account is read, after https://api.docs.extended.exchange (Account).

Histories know no times, but for funding payments: pages come newest first, and go on until their rows are
older than what is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from backend.core.windows import DAY, HOUR
from backend.errors import MalformedAnswer
from backend.exchanges.base import Request
from backend.exchanges.extended.account.rows import (
    BalanceRow,
    FundingRow,
    OperationRow,
    OrderRow,
    Paged,
    PositionRow,
    Rates,
    TradeRow,
)
from backend.exchanges.extended.market import COST, VENUE
from backend.exchanges.private.venue import Call, Stream
from backend.exchanges.private.wire import Listed, Told, given, page, question
from backend.trading.rows import (
    Balance,
    Bill,
    FeeRates,
    Fill,
    Order,
    Page,
    Position,
    Product,
    Wanted,
)

Data = TypeVar("Data")
RowOf = TypeVar("RowOf", Order, Fill, Bill)
Said = TypeVar("Said")

BALANCE, POSITIONS, FEES = "/user/balance", "/user/positions", "/user/fees"
OPEN, OWN = "/user/orders", "/user/orders/external"
ORDERS, TRADES = "/user/orders/history", "/user/trades"
FUNDING, OPERATIONS = "/user/funding/history", "/user/assetOperations"

LARGE, SMALL = 1000, 100
"""Rows that are asked for at once, of a long window and of a short one."""
SHORT_WINDOW = 2 * HOUR
LONGEST = 3650 * DAY
UNFILLED_ARE_TOLD = 7 * DAY
"""Orders that ended without a fill; those of accounts that trade very much are not told at all."""


def asked(path: str, params: Mapping[str, str], kind: type[Data], make: Callable[[Data], Said]) -> Call[Said]:
    """A question. All of them count for the address, together with those for market data."""
    return question(Request(path, given(params), COST), kind, make, VENUE)


def balances() -> Call[tuple[Balance, ...]]:
    """The wallet. The venue answers 404 where there is nothing in it."""
    call = asked(BALANCE, {}, Told[BalanceRow], lambda said: (said.data.balance(),))
    return Call(call.request, call.parse, absent=tuple)


def positions() -> Call[tuple[Position, ...]]:
    """The open positions."""
    return asked(POSITIONS, {}, Listed[PositionRow], lambda said: tuple(row.position() for row in said.data))


def fees(_product: Product, symbol: str) -> Call[FeeRates]:
    """What trading of a market costs."""

    def made(said: Listed[Rates]) -> FeeRates:
        rates = [row.rates() for row in said.data if row.market == symbol]
        if len(rates) != 1:
            raise MalformedAnswer(f"{VENUE} tells {len(rates)} fee rates of one market")
        return rates[0]

    return asked(FEES, {"market": symbol}, Listed[Rates], made)


def open_orders(_product: Product, _cursor: str) -> Call[Page[Order]]:
    """Orders that are not finished, all at once."""
    return asked(OPEN, {}, Listed[OrderRow], lambda said: Page(tuple(row.order() for row in said.data)))


def order(_product: Product, symbol: str, client_id: str) -> Call[Order | None]:
    """The newest order with our own id: the venue tells all that had it."""

    def made(said: Listed[OrderRow]) -> Order | None:
        rows = [row.order() for row in said.data if (row.market, row.external_id) == (symbol, client_id)]
        return max(rows, key=lambda row: row.created, default=None)

    call = asked(f"{OWN}/{client_id}", {}, Listed[OrderRow], made)
    return Call(call.request, call.parse, absent=lambda: None)


def orders(wanted: Wanted) -> Call[Page[Order]]:
    """Finished orders. Of those without a fill the venue tells only seven days."""

    def made(said: Paged[OrderRow]) -> Page[Order]:
        rows = [row.order() for row in said.data]
        return _page(wanted, said, rows, [row.created for row in rows])

    return asked(ORDERS, _params(wanted), Paged[OrderRow], made)


def fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills."""

    def made(said: Paged[TradeRow]) -> Page[Fill]:
        rows = [row.fill() for row in said.data]
        return _page(wanted, said, rows, [row.time for row in rows])

    return asked(TRADES, _params(wanted), Paged[TradeRow], made)


def bills(wanted: Wanted) -> Call[Page[Bill]]:
    """What came into the wallet and what went, beside trades: funding, then deposits, withdrawals and
    transfers."""

    def made(said: Paged[FundingRow] | Paged[OperationRow]) -> Page[Bill]:
        rows = [row.bill() for row in said.data]
        return _page(wanted, said, rows, [row.time for row in rows])

    if wanted.part == 0:
        params = _params(wanted) | {"startTime": str(max(wanted.start - 1, 0))}
        return asked(FUNDING, params, Paged[FundingRow], made)
    return asked(OPERATIONS, {"cursor": wanted.cursor}, Paged[OperationRow], made)


def _params(wanted: Wanted) -> dict[str, str]:
    limit = SMALL if wanted.end - wanted.start <= SHORT_WINDOW else LARGE
    return {"market": wanted.symbol, "cursor": wanted.cursor, "limit": str(limit)}


def _page(wanted: Wanted, said: Paged[Any], rows: list[RowOf], times: list[int]) -> Page[RowOf]:
    """A page. It is the last one where all of its rows are older than what is wanted."""
    if times and max(times) < wanted.start:
        return Page(tuple(rows))
    cursor = said.pagination.cursor if said.pagination is not None else ""
    return page(
        rows, lambda _row: str(said.data[-1].id), last=cursor or None, asked=wanted.cursor, venue=VENUE
    )


ORDER_HISTORY = Stream(ask=orders, span=LONGEST, retention=None, page_size=LARGE, unfilled=UNFILLED_ARE_TOLD)
FILL_HISTORY = Stream(ask=fills, span=LONGEST, retention=None, page_size=LARGE)
BILL_HISTORY = Stream(ask=bills, span=LONGEST, retention=None, page_size=SMALL, parts=2)
