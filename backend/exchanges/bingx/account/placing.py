"""How orders are placed at BingX: perpetuals in USDT and USDC, against coins, and spot.

Source: https://bingx-api.github.io/docs-v3 (Swap, Coin-M and Spot, Trades). `positionSide` is BOTH for an
account with one position a symbol. Sizes of coin-margined perpetuals count contracts, each worth
`minTickSize` USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from backend.errors import MalformedAnswer
from backend.exchanges.bingx.account.asking import asked, sent
from backend.exchanges.bingx.account.perpetual import Kind, kind_of
from backend.exchanges.bingx.market import VENUE
from backend.exchanges.private.venue import Call, Placing
from backend.exchanges.private.wire import Id, Listed, Name, Told, given
from backend.trading.money import Exact, plain
from backend.trading.rows import Product
from backend.trading.rules import Rules
from backend.trading.tickets import Force, Ticket

PLACE: Mapping[Kind, str] = {"swap": "/openApi/swap/v2/trade/order", "coin": "/openApi/cswap/v1/trade/order"}
CANCEL: Mapping[Kind, str] = {**PLACE, "coin": "/openApi/cswap/v1/trade/cancelOrder"}
TRIAL = "/openApi/swap/v2/trade/order/test"
SPOT_PLACE, SPOT_CANCEL = "/openApi/spot/v1/trade/order", "/openApi/spot/v1/trade/cancel"
CONTRACTS: Mapping[Kind, str] = {
    "swap": "/openApi/swap/v2/quote/contracts",
    "coin": "/openApi/cswap/v1/market/contracts",
}
SYMBOLS = "/openApi/spot/v1/common/symbols"

LIMITS: Mapping[str, tuple[int, int]] = {
    f"POST {PLACE['swap']}": (10, 3),
    f"DELETE {CANCEL['swap']}": (10, 3),
    f"POST {TRIAL}": (5, 2),
    f"POST {PLACE['coin']}": (5, 2),
    f"DELETE {CANCEL['coin']}": (5, 2),
    f"POST {SPOT_PLACE}": (10, 3),
    f"POST {SPOT_CANCEL}": (5, 3),
    **dict.fromkeys((*CONTRACTS.values(), SYMBOLS), (1, 1)),
}
"""Requests a second of an account, and of an address."""

FORCES: Mapping[Force, str] = {
    Force.GTC: "GTC",
    Force.IOC: "IOC",
    Force.FOK: "FOK",
    Force.POST_ONLY: "PostOnly",
}
HELD = {"long": "LONG", "short": "SHORT", "net": "BOTH"}


class Accepted(msgspec.Struct, rename="camel"):
    order_id: Id = ""


class Placed(msgspec.Struct, rename="camel"):
    """The order stands under `order`, or its fields stand here: documents and answers differ."""

    order: Accepted | None = None
    order_id: Id = ""

    def id(self) -> str:
        return str(self.order.order_id if self.order is not None else self.order_id)


class SwapRow(msgspec.Struct, rename="camel"):
    symbol: Name
    price_precision: int
    quantity_precision: int
    trade_min_quantity: Exact = Exact(0)
    least_value: Exact = msgspec.field(name="tradeMinUSDT", default=Exact(0))

    def rules(self) -> Rules:
        return Rules(
            price_step=Decimal(1).scaleb(-self.price_precision),
            size_step=Decimal(1).scaleb(-self.quantity_precision),
            least_size=self.trade_min_quantity,
            least_value=self.least_value,
        )


class CoinRow(msgspec.Struct, rename="camel"):
    symbol: Name
    price_precision: int
    min_tick_size: Exact
    min_qty: Exact = Exact(1)
    min_trade_value: Exact = Exact(0)

    def rules(self) -> Rules:
        return Rules(
            price_step=Decimal(1).scaleb(-self.price_precision),
            size_step=Decimal(1),
            least_size=self.min_qty,
            least_value=self.min_trade_value,
            contract_value=self.min_tick_size,
        )


class SpotRow(msgspec.Struct, rename="camel"):
    symbol: Name
    tick_size: Exact
    step_size: Exact
    min_qty: Exact = Exact(0)
    min_notional: Exact = Exact(0)

    def rules(self) -> Rules:
        return Rules(
            price_step=self.tick_size,
            size_step=self.step_size,
            least_size=self.min_qty,
            least_value=self.min_notional,
        )


class SpotRows(msgspec.Struct):
    symbols: list[SpotRow] = []


def rules(product: Product, symbol: str) -> Call[Rules]:
    """The steps and minima of a market."""
    params = {"symbol": symbol}

    def only(rows: list[Any]) -> Rules:
        contracts = [row for row in rows if row.symbol == symbol]
        if len(contracts) != 1:
            raise MalformedAnswer(f"{VENUE} tells the rules of {len(contracts)} markets for one symbol")
        made: Rules = contracts[0].rules()
        return made

    if product is Product.SPOT:
        return asked(SYMBOLS, params, Told[SpotRows], lambda said: only(said.data.symbols))
    if kind_of(product) == "coin":
        return asked(CONTRACTS["coin"], params, Listed[CoinRow], lambda said: only(said.data))
    return asked(CONTRACTS["swap"], params, Listed[SwapRow], lambda said: only(said.data))


def place(ticket: Ticket, client_id: str) -> Call[str]:
    """Places an order."""
    return _to(
        SPOT_PLACE if ticket.product is Product.SPOT else PLACE[kind_of(ticket.product)], ticket, client_id
    )


def trial(ticket: Ticket, client_id: str) -> Call[str] | None:
    """The same to a path that executes nothing; only `swap` has one."""
    is_swap = ticket.product is not Product.SPOT and kind_of(ticket.product) == "swap"
    return _to(TRIAL, ticket, client_id) if is_swap else None


def _to(path: str, ticket: Ticket, client_id: str) -> Call[str]:
    params = {
        "symbol": ticket.symbol,
        "side": ticket.side.upper(),
        "type": "MARKET" if ticket.price is None else "LIMIT",
        "quantity": _text(ticket.size),
        "price": _text(ticket.price),
        "timeInForce": "" if ticket.price is None else FORCES[ticket.force],
    }
    if ticket.product is Product.SPOT:
        own = {"quoteOrderQty": _text(ticket.quote_size), "newClientOrderId": client_id}
        return sent(path, given(params | own), Told[Placed], _id)
    params |= {
        "positionSide": HELD[ticket.held],
        "reduceOnly": "true" if ticket.reduce_only else "",
        "takeProfit": _trigger("TAKE_PROFIT_MARKET", ticket.take_profit),
        "stopLoss": _trigger("STOP_MARKET", ticket.stop_loss),
        "clientOrderId": client_id,
    }
    return sent(path, given(params), Told[Placed], _id)


def cancel(product: Product, symbol: str, order_id: str, client_id: str) -> Call[None]:
    """Cancels an order."""

    def nothing(_: Any) -> None:
        return None

    if product is Product.SPOT:
        named = {"orderId": order_id} if order_id else {"clientOrderID": client_id}
        return sent(SPOT_CANCEL, {"symbol": symbol, **named}, Told[Any], nothing)
    named = {"orderId": order_id} if order_id else {"clientOrderId": client_id}
    return sent(CANCEL[kind_of(product)], {"symbol": symbol, **named}, Told[Any], nothing, "DELETE")


def _id(said: Told[Placed]) -> str:
    return said.data.id()


def _trigger(kind: str, price: Decimal | None) -> str:
    """A stop as JSON text. Its price is a number there; the text of a Decimal is one."""
    if price is None:
        return ""
    return f'{{"type":"{kind}","stopPrice":{plain(price)},"workingType":"MARK_PRICE"}}'


def _text(number: Decimal | None) -> str:
    return "" if number is None else plain(number)


PLACING = Placing(place=place, cancel=cancel, rules=rules, trial=trial)
