"""BingX's accounts: perpetuals in USDT and USDC (`swap`) and against coins (`cswap`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.simulator.private.accounts import Asked, Tell
from tests.simulator.private.bingx_perpetual_rows import (
    balance_row,
    coin_fill_row,
    fill_row,
    income_rows,
    order_row,
    position_row,
)
from tests.simulator.private.bingx_words import (
    from_order,
    needed,
    numbered,
    open_orders,
    order_of,
    size_of,
    symbol_of,
    told,
    whole,
    window,
    wrong,
)
from tests.simulator.private.bitget_words import text
from tests.simulator.private.rows import FINISHED, Balance, Fill, Order, Product
from tests.simulator.private.wallets import both
from tests.simulator.times import DAY

SWAP, COIN = (Product.USDT, Product.USDC), (Product.COIN,)
V1, V2, V3 = (f"/openApi/swap/v{version}" for version in (1, 2, 3))
C = "/openApi/cswap/v1"
KEPT = 90 * DAY


def family(asked: Asked) -> Sequence[Product]:
    """The products of a question: those of one settled coin if a currency is named."""
    if "/cswap/" in asked.path:
        return COIN
    return {"USDT": (Product.USDT,), "USDC": (Product.USDC,)}.get(asked.params.get("currency", ""), SWAP)


def balances(asked: Asked) -> list[dict[str, Any]]:
    """USDT and USDC are in one wallet: what both have of another coin is told as one."""
    coins: dict[str, Balance] = {}
    for product in family(asked):
        for one in asked.book.balances(product):
            held = coins.get(one.coin)
            coins[one.coin] = one if held is None else both(held, one)
    return [balance_row(one, asked) for one in coins.values()]


def old_balance(asked: Asked) -> dict[str, Any]:
    """The older answer, which has USDT alone."""
    found = [one for one in asked.book.balances(Product.USDT) if one.coin == "USDT"]
    return {"balance": balance_row(found[0], asked)} if found else {}


def positions(asked: Asked) -> list[dict[str, Any]]:
    symbol = asked.params.get("symbol", "")
    found = [one for product in family(asked) for one in asked.positions(product)]
    return [position_row(one, asked) for one in found if symbol in ("", symbol_of(one.pair))]


def swap_rates(asked: Asked) -> dict[str, Any]:
    rate = asked.book.facts.rates[Product.USDT]
    return {
        "commission": {
            "takerCommissionRate": float(rate.taker),
            "makerCommissionRate": float(rate.maker),
        }
    }


def coin_rates(asked: Asked) -> dict[str, Any]:
    rate = asked.book.facts.rates[Product.COIN]
    return {"takerCommissionRate": text(rate.taker), "makerCommissionRate": text(rate.maker)}


def pending(asked: Asked) -> dict[str, Any]:
    return {"orders": [order_row(row, asked) for row in open_orders(asked, family(asked))]}


def detail(asked: Asked) -> dict[str, Any]:
    return {"order": order_row(order_of(asked, family(asked), "clientOrderId", absent="109421"), asked)}


def finished(asked: Asked) -> dict[str, Any]:
    """Finished orders of a week, by the time of their creation."""
    return _orders(asked, [row for row in _created(asked) if row.status in FINISHED], usual=500)


def every(asked: Asked) -> dict[str, Any]:
    """All orders of a week, open ones as well."""
    return _orders(asked, _created(asked), usual=500)


def coin_history(asked: Asked) -> dict[str, Any]:
    return _orders(asked, [row for row in _created(asked) if row.status in FINISHED], usual=100)


def forced(asked: Asked) -> dict[str, Any]:
    """Liquidations and ADL."""
    wanted = asked.params.get("autoCloseType", "").lower()
    causes = [cause for cause in ("liquidation", "adl") if wanted in ("", cause)]
    rows = [row for row in _created(asked) if row.cause in causes]
    return _orders(asked, rows, usual=50, largest=100)


def fills(asked: Asked) -> dict[str, Any]:
    """Fills of one symbol, by pages."""
    needed(asked, "symbol")
    rows = told(asked, _filled(asked))
    last = whole(asked, "lastFillId", 0)
    page = numbered(asked, [row for row in rows if row.number > last], usual=50, largest=1000)
    return {"fill_history_orders": [fill_row(row, asked) for row in page]}


def all_fills(asked: Asked) -> dict[str, Any]:
    """Fills without ids and without pages."""
    if needed(asked, "tradingUnit") not in ("COIN", "CONT"):
        raise wrong(asked, "tradingUnit: This field must be one of COIN CONT.")
    rows = told(asked, _filled(asked))
    fields = (
        "filledTm",
        "volume",
        "price",
        "amount",
        "commission",
        "currency",
        "orderId",
        "filledTime",
        "symbol",
    )
    shown = ({**fill_row(row, asked), "amount": text(row.value)} for row in rows)
    return {"fill_orders": [{name: row[name] for name in fields} for row in shown]}


def coin_fills(asked: Asked) -> list[dict[str, Any]]:
    """Fills of one order."""
    needed(asked, "orderId")
    rows = asked.book.fills_of(whole(asked, "orderId", 0))
    page = numbered(
        asked, told(asked, [row for row in rows if row.product is Product.COIN]), usual=100, largest=1000
    )
    return [coin_fill_row(row) for row in page]


def income(asked: Asked) -> list[dict[str, Any]]:
    """What came into the wallet of USDT and USDC, and what went, of the last three months."""
    since, until = window(asked)
    since = max(since, asked.now - KEPT)
    bills = [row for product in SWAP for row in asked.book.bills.between(product, since, until)]
    rows = [row for bill in told(asked, bills) for row in income_rows(bill, asked)]
    if kind := asked.params.get("incomeType"):
        rows = [row for row in rows if row["incomeType"] == kind]
    return rows[: size_of(asked, "limit", usual=100, largest=1000)]


ROUTES: dict[str, tuple[Tell, int, int]] = {
    f"{V3}/user/balance": (balances, 5, 3),
    f"{V2}/user/balance": (old_balance, 5, 3),
    f"{V2}/user/positions": (positions, 10, 3),
    f"{V2}/user/commissionRate": (swap_rates, 5, 2),
    f"{V2}/user/income": (income, 5, 2),
    f"{V2}/trade/openOrders": (pending, 5, 3),
    f"{V2}/trade/order": (detail, 30, 2),
    f"{V2}/trade/openOrder": (detail, 5, 2),
    f"{V2}/trade/allOrders": (finished, 5, 3),
    f"{V1}/trade/fullOrder": (every, 5, 2),
    f"{V2}/trade/forceOrders": (forced, 10, 2),
    f"{V2}/trade/fillHistory": (fills, 5, 2),
    f"{V2}/trade/allFillOrders": (all_fills, 5, 2),
    f"{C}/user/balance": (balances, 5, 2),
    f"{C}/user/positions": (positions, 5, 2),
    f"{C}/user/commissionRate": (coin_rates, 5, 2),
    f"{C}/trade/openOrders": (pending, 5, 2),
    f"{C}/trade/orderDetail": (detail, 5, 2),
    f"{C}/trade/orderHistory": (coin_history, 5, 2),
    f"{C}/trade/allFillOrders": (coin_fills, 5, 2),
    f"{C}/trade/forceOrders": (forced, 5, 2),
}
"""How each path is answered, and how often a second an account and an address may ask."""


def _created(asked: Asked) -> list[Order]:
    since, until = window(asked)
    rows = [row for product in family(asked) for row in asked.book.orders.between(product, since, until)]
    return from_order(asked, rows)


def _filled(asked: Asked) -> list[Fill]:
    """Fills of the times that must be named."""
    needed(asked, "startTs")
    needed(asked, "endTs")
    since, until = window(asked, "startTs", "endTs")
    number = whole(asked, "orderId", 0)
    rows = [row for product in family(asked) for row in asked.book.fills.between(product, since, until)]
    return [row for row in rows if number in (0, row.order)]


def _orders(asked: Asked, rows: Sequence[Order], *, usual: int, largest: int = 1000) -> dict[str, Any]:
    size = size_of(asked, "limit", usual=usual, largest=largest)
    return {"orders": [order_row(row, asked) for row in told(asked, rows)[:size]]}
