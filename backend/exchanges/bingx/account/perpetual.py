"""How BingX is asked for perpetuals, in USDT and USDC (`swap`) and against coins (`cswap`).

Orders of both stablecoins come from one endpoint: which of them it tells of when no currency is named is not
documented, so USDC is asked for by name as well, and each row says what it is. A question reaches over seven
days, and begins a ms early because some bounds leave out what happened at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from backend.core.windows import DAY
from backend.exchanges.bingx.account.asking import LARGEST_PAGE, asked, halved, numbered
from backend.exchanges.bingx.account.perpetual_rows import (
    BalanceRow,
    CoinFill,
    IncomeRow,
    OneOrder,
    Orders,
    PositionRow,
    Rates,
    SwapFills,
    SwapRates,
)
from backend.exchanges.private.venue import Call, Stream
from backend.exchanges.private.wire import Listed, Told, given
from backend.trading.rows import Balance, Bill, FeeRates, Fill, Order, Page, Position, Product, Wanted

SWAP, COIN = "/openApi/swap", "/openApi/cswap/v1"
BALANCES = {"swap": f"{SWAP}/v3/user/balance", "coin": f"{COIN}/user/balance"}
POSITIONS = {"swap": f"{SWAP}/v2/user/positions", "coin": f"{COIN}/user/positions"}
RATES = {"swap": f"{SWAP}/v2/user/commissionRate", "coin": f"{COIN}/user/commissionRate"}
OPEN = {"swap": f"{SWAP}/v2/trade/openOrders", "coin": f"{COIN}/trade/openOrders"}
HISTORY = {"swap": f"{SWAP}/v2/trade/allOrders", "coin": f"{COIN}/trade/orderHistory"}
FILLS = {"swap": f"{SWAP}/v2/trade/fillHistory", "coin": f"{COIN}/trade/allFillOrders"}
DETAIL = {"swap": f"{SWAP}/v2/trade/order", "coin": f"{COIN}/trade/orderDetail"}
INCOME = f"{SWAP}/v2/user/income"

LIMITS: Mapping[str, tuple[int, int]] = {
    BALANCES["swap"]: (5, 3),
    POSITIONS["swap"]: (10, 3),
    RATES["swap"]: (5, 2),
    OPEN["swap"]: (5, 3),
    HISTORY["swap"]: (5, 3),
    FILLS["swap"]: (5, 2),
    DETAIL["swap"]: (30, 2),
    INCOME: (5, 2),
    **{path["coin"]: (5, 2) for path in (BALANCES, POSITIONS, RATES, OPEN, HISTORY, FILLS, DETAIL)},
}
"""Questions a second of an account, and of an address."""

Kind = Literal["swap", "coin"]
USUAL: Mapping[Kind, int] = {"swap": 500, "coin": 100}
"""Rows that come where no number is asked for."""
USUAL_INCOME = 100


def kind_of(product: Product) -> Kind:
    return "coin" if product is Product.PERPETUAL_COIN else "swap"


def balances(product: Product) -> Call[tuple[Balance, ...]]:
    """A wallet, coin by coin. That of USDT and USDC is one."""

    def made(said: Listed[BalanceRow]) -> tuple[Balance, ...]:
        return tuple(row.balance() for row in said.data)

    return asked(BALANCES[kind_of(product)], {}, Listed[BalanceRow], made)


def positions(product: Product) -> Call[tuple[Position, ...]]:
    """The open positions; those in USDT and USDC come together."""

    def made(said: Listed[PositionRow]) -> tuple[Position, ...]:
        return tuple(row.position() for row in said.data)

    return asked(POSITIONS[kind_of(product)], {}, Listed[PositionRow], made)


def fees(product: Product) -> Call[FeeRates]:
    """What trading costs, whatever the symbol."""
    path = RATES[kind_of(product)]
    if kind_of(product) == "coin":
        return asked(path, {}, Told[Rates], lambda said: said.data.rates())
    return asked(path, {}, Told[SwapRates], lambda said: said.data.commission.rates())


def open_orders(product: Product) -> Call[Page[Order]]:
    """Orders that are not finished, all at once."""

    def made(said: Told[Orders]) -> Page[Order]:
        return Page(tuple(row.order() for row in said.data.orders))

    return asked(OPEN[kind_of(product)], {}, Told[Orders], made)


def order(product: Product, symbol: str, client_id: str) -> Call[Order | None]:
    """One order by our own id, which the venue keeps in small letters."""
    params = {"symbol": symbol, "clientOrderId": client_id.lower()}
    return asked(DETAIL[kind_of(product)], params, Told[OneOrder], lambda said: said.data.order.order())


def orders(wanted: Wanted) -> Call[Page[Order]]:
    """Finished orders."""
    kind = kind_of(wanted.product)

    def made(said: Told[Orders]) -> Page[Order]:
        return halved([row.order() for row in said.data.orders], usual=USUAL[kind])

    currency = "USDC" if wanted.product is Product.PERPETUAL_USDC else ""
    params = {**_times(wanted, "startTime", "endTime"), "limit": str(LARGEST_PAGE)}
    return asked(
        HISTORY[kind], given({**params, "symbol": wanted.symbol, "currency": currency}), Told[Orders], made
    )


def swap_fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills of one symbol. The endpoint that needs none gives fills no ids: twins look the same."""

    def made(said: Told[SwapFills]) -> Page[Fill]:
        return numbered([row.fill() for row in said.data.fill_history_orders], wanted.cursor)

    params = {**_times(wanted, "startTs", "endTs"), "symbol": wanted.symbol, **_page(wanted)}
    return asked(FILLS["swap"], params, Told[SwapFills], made)


def coin_fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills of one order."""

    def made(said: Listed[CoinFill]) -> Page[Fill]:
        return numbered([row.fill() for row in said.data], wanted.cursor)

    return asked(FILLS["coin"], {"orderId": wanted.order_id, **_page(wanted)}, Listed[CoinFill], made)


def bills(wanted: Wanted) -> Call[Page[Bill]]:
    """What came into the wallet of USDT and USDC, and what went."""

    def made(said: Listed[IncomeRow]) -> Page[Bill]:
        return halved([row.bill() for row in said.data], usual=USUAL_INCOME)

    params = {**_times(wanted, "startTime", "endTime"), "limit": str(LARGEST_PAGE)}
    return asked(INCOME, given({**params, "symbol": wanted.symbol}), Listed[IncomeRow], made)


def _times(wanted: Wanted, start: str, end: str) -> dict[str, str]:
    return {start: str(max(wanted.start - 1, 0)), end: str(wanted.end)}


def _page(wanted: Wanted) -> dict[str, str]:
    return {"pageIndex": wanted.cursor or "1", "pageSize": str(LARGEST_PAGE)}


WEEK_AT_ONCE = 7 * DAY - 1

ORDER_HISTORY = Stream(ask=orders, span=WEEK_AT_ONCE, retention=None, page_size=LARGEST_PAGE)
SWAP_FILLS = Stream(ask=swap_fills, span=WEEK_AT_ONCE, retention=None, page_size=LARGEST_PAGE, needs="symbol")
COIN_FILLS = Stream(ask=coin_fills, span=WEEK_AT_ONCE, retention=None, page_size=LARGEST_PAGE, needs="order")
BILL_HISTORY = Stream(ask=bills, span=WEEK_AT_ONCE, retention=90 * DAY, page_size=LARGEST_PAGE)
