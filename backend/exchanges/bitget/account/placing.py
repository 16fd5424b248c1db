"""How orders are placed at Bitget: classic futures and spot (v2), and unified accounts (v3).

Source: https://www.bitget.com/api-doc/contract/trade/Place-Order, .../spot/trade/Place-Order,
.../uta/trade/Place-Order. The two kinds of account say a position in different words: in a classic account
that holds both sides, `side` names the position and `tradeSide` whether the order opens or closes it; in a
unified one `side` is the direction of the trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from backend.errors import MalformedAnswer
from backend.exchanges.bitget.account.asking import FUTURES, asked, changed, sent
from backend.exchanges.bitget.account.unified import CATEGORIES
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.private.venue import Call, Placing
from backend.exchanges.private.wire import Listed, Name
from backend.trading.money import Exact, plain
from backend.trading.rows import Product
from backend.trading.rules import Rules
from backend.trading.tickets import Ticket

MIX_PLACE, MIX_CANCEL = "/api/v2/mix/order/place-order", "/api/v2/mix/order/cancel-order"
SPOT_PLACE, SPOT_CANCEL = "/api/v2/spot/trade/place-order", "/api/v2/spot/trade/cancel-order"
V3_PLACE, V3_CANCEL = "/api/v3/trade/place-order", "/api/v3/trade/cancel-order"
CONTRACTS, SYMBOLS = "/api/v2/mix/market/contracts", "/api/v2/spot/public/symbols"

LIMITS: Mapping[str, int] = dict.fromkeys(
    (MIX_PLACE, MIX_CANCEL, SPOT_PLACE, SPOT_CANCEL, V3_PLACE, V3_CANCEL), 10
)
"""Requests a second of an account."""


class ContractRow(msgspec.Struct, rename="camel"):
    symbol: Name
    min_trade_num: Exact
    size_multiplier: Exact
    price_end_step: Exact
    price_place: int
    least_value: Exact = msgspec.field(name="minTradeUSDT", default=Exact(0))

    def rules(self) -> Rules:
        return Rules(
            price_step=self.price_end_step.scaleb(-self.price_place),
            size_step=self.size_multiplier,
            least_size=self.min_trade_num,
            least_value=self.least_value,
        )


class SymbolRow(msgspec.Struct, rename="camel"):
    symbol: Name
    price_precision: int
    quantity_precision: int
    min_trade_amount: Exact = Exact(0)
    least_value: Exact = msgspec.field(name="minTradeUSDT", default=Exact(0))

    def rules(self) -> Rules:
        return Rules(
            price_step=Decimal(1).scaleb(-self.price_precision),
            size_step=Decimal(1).scaleb(-self.quantity_precision),
            least_size=self.min_trade_amount,
            least_value=self.least_value,
        )


def rules(product: Product, symbol: str) -> Call[Rules]:
    """The steps and minima of a market. The unified account trades the same markets. The least value of
    coin-margined contracts is in USDT, like their value."""
    if product is Product.SPOT:
        return asked(SYMBOLS, {"symbol": symbol}, Listed[SymbolRow], _only)
    params = {"productType": FUTURES[product], "symbol": symbol}
    return asked(CONTRACTS, params, Listed[ContractRow], _only)


def _only(said: Listed[ContractRow] | Listed[SymbolRow]) -> Rules:
    if len(said.data) != 1:
        raise MalformedAnswer(f"{VENUE} tells the rules of {len(said.data)} markets for one symbol")
    return said.data[0].rules()


def place_classic(ticket: Ticket, client_id: str) -> Call[str]:
    """Places an order of a classic account."""
    if ticket.product is Product.SPOT:
        size = {"size": _text(ticket.size if ticket.quote_size is None else ticket.quote_size)}
        return sent(
            SPOT_PLACE, {"symbol": ticket.symbol, "side": ticket.side, **size, **_kind(ticket, client_id)}
        )
    one_way = ticket.held == "net"
    body = {
        "symbol": ticket.symbol,
        "productType": FUTURES[ticket.product],
        "marginMode": ticket.margin_mode,
        "marginCoin": margin_coin(ticket.product, ticket.symbol),
        "size": _text(ticket.size),
        "side": ticket.side if one_way else {"long": "buy", "short": "sell"}[ticket.held],
        "tradeSide": "" if one_way else "close" if ticket.closes else "open",
        "reduceOnly": "YES" if ticket.reduce_only else "",
        "presetStopSurplusPrice": _text(ticket.take_profit),
        "presetStopLossPrice": _text(ticket.stop_loss),
        **_kind(ticket, client_id),
    }
    return sent(MIX_PLACE, body)


def place_unified(ticket: Ticket, client_id: str) -> Call[str]:
    """Places an order of a unified account."""
    kind = _kind(ticket, client_id)
    body = {
        "category": CATEGORIES[ticket.product],
        "symbol": ticket.symbol,
        "qty": _text(ticket.size if ticket.quote_size is None else ticket.quote_size),
        "side": ticket.side,
        "posSide": "" if ticket.held == "net" else ticket.held,
        "reduceOnly": "yes" if ticket.reduce_only else "",
        "takeProfit": _text(ticket.take_profit),
        "stopLoss": _text(ticket.stop_loss),
        "tpOrderType": "market" if ticket.take_profit is not None else "",
        "slOrderType": "market" if ticket.stop_loss is not None else "",
        "timeInForce": kind.pop("force", ""),
        **kind,
    }
    return sent(V3_PLACE, body)


def cancel_classic(product: Product, symbol: str, order_id: str, client_id: str) -> Call[None]:
    """Cancels an order of a classic account."""
    named = {"symbol": symbol, **_named(order_id, client_id)}
    if product is Product.SPOT:
        return changed(SPOT_CANCEL, named)
    more = {"productType": FUTURES[product], "marginCoin": margin_coin(product, symbol)}
    return changed(MIX_CANCEL, {**named, **more})


def cancel_unified(product: Product, symbol: str, order_id: str, client_id: str) -> Call[None]:
    """Cancels an order of a unified account."""
    market = {"category": CATEGORIES[product], "symbol": symbol}
    return changed(V3_CANCEL, {**market, **_named(order_id, client_id)})


def margin_coin(product: Product, symbol: str) -> str:
    """The coin in which a perpetual is margined: that of a coin-margined one is its base."""
    if product is Product.PERPETUAL_COIN:
        return symbol.upper().removesuffix("USD")
    return "USDC" if product is Product.PERPETUAL_USDC else "USDT"


def _kind(ticket: Ticket, client_id: str) -> dict[str, str]:
    if ticket.price is None:
        return {"orderType": "market", "clientOid": client_id}
    price = {"price": plain(ticket.price), "force": ticket.force.value}
    return {"orderType": "limit", "clientOid": client_id, **price}


def _named(order_id: str, client_id: str) -> dict[str, str]:
    return {"orderId": order_id} if order_id else {"clientOid": client_id}


def _text(number: Decimal | None) -> str:
    return "" if number is None else plain(number)


CLASSIC_PLACING = Placing(place=place_classic, cancel=cancel_classic, rules=rules)
UNIFIED_PLACING = Placing(place=place_unified, cancel=cancel_unified, rules=rules)
