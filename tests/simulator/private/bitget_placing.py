"""How Bitget's accounts place and cancel orders: futures and spot (v2), unified (v3).

Source: https://www.bitget.com/api-doc/contract/trade/Place-Order, .../spot/trade/Place-Order,
.../uta/trade/Place-Order.
"""

from __future__ import annotations

from typing import Any

from tests.simulator.private.accounts import Asked, Refused, Tell
from tests.simulator.private.bitget_words import category_of, needed, order_of, pair_of, product_of
from tests.simulator.private.placing import Codes, Wish, cancelled, net_closes, number, placed
from tests.simulator.private.rows import Held, Order, Pair, Product, Side
from tests.simulator.private.setup import leverage_of, levers, set_hedged

CLASSIC = Codes(duplicate="40786", busy="40725", no_position="22002", too_small="45110", no_price="40815")
UNIFIED = Codes(duplicate="25212", busy="25001", no_position="25601", too_small="25207", no_price="25205")


def mix_place(asked: Asked) -> Any:
    needed(asked, "symbol", "marginMode", "marginCoin", "size", "side", "orderType")
    product = product_of(asked)
    pair, side = pair_of(asked, product), _side(asked)
    if asked.book.facts.hedged:
        if (meant := asked.params.get("tradeSide", "").lower()) not in ("open", "close"):
            raise Refused("40774", "The order type must be that of a unilateral position")
        held: Held = "long" if side == "buy" else "short"
        closes = meant == "close"
        traded: Side = side if not closes else "sell" if side == "buy" else "buy"
        return _placed(asked, product, pair, traded, held, closes, CLASSIC)
    only = asked.params.get("reduceOnly", "NO").upper() == "YES"
    closes = net_closes(asked, product, pair, side, only=only)
    return _placed(asked, product, pair, side, "net", closes, CLASSIC)


def spot_place(asked: Asked) -> Any:
    needed(asked, "symbol", "size", "side", "orderType")
    product = Product.SPOT
    return _placed(asked, product, pair_of(asked, product), _side(asked), "", False, CLASSIC)


def unified_place(asked: Asked) -> Any:
    needed(asked, "symbol", "qty", "side", "orderType")
    product = category_of(asked)
    pair, side = pair_of(asked, product), _side(asked)
    if product is Product.SPOT:
        return _placed(asked, product, pair, side, "", False, UNIFIED)
    only = asked.params.get("reduceOnly", "no").lower() == "yes"
    if not asked.book.facts.hedged:
        closes = net_closes(asked, product, pair, side, only=only)
        return _placed(asked, product, pair, side, "net", closes, UNIFIED)
    held = asked.params.get("posSide", "")
    if held not in ("long", "short"):
        raise Refused("25236", "posSide is needed in hedge mode")
    closes = side == ("sell" if held == "long" else "buy")
    return _placed(asked, product, pair, side, "long" if held == "long" else "short", closes, UNIFIED)


def mix_cancel(asked: Asked) -> Any:
    needed(asked, "symbol")
    product_of(asked)
    return _told(cancelled(asked, order_of(asked, absent="40768"), "22001"))


def spot_cancel(asked: Asked) -> Any:
    needed(asked, "symbol")
    return _told(cancelled(asked, order_of(asked, absent="43001"), "43001"))


def unified_cancel(asked: Asked) -> Any:
    return _told(cancelled(asked, order_of(asked, absent="25204"), "25204"))


def set_leverage(asked: Asked) -> Any:
    needed(asked, "symbol", "marginCoin", "leverage")
    product = product_of(asked)
    return _set_leverage(asked, product, asked.params.get("holdSide", ""), "43050")


def set_unified_leverage(asked: Asked) -> Any:
    needed(asked, "symbol", "leverage")
    return _set_leverage(asked, category_of(asked), asked.params.get("posSide", ""), "25250")


def set_margin_mode(asked: Asked) -> Any:
    needed(asked, "symbol", "marginCoin", "marginMode")
    product = product_of(asked)
    pair = pair_of(asked, product)
    if any(one.pair == pair for one in asked.book.positions(product)):
        raise Refused("45117", "Currently holding positions or orders, the margin mode cannot be adjusted")
    levers(asked, product, pair).margin_mode = asked.params["marginMode"]
    return {"marginMode": asked.params["marginMode"]}


def set_position_mode(asked: Asked) -> Any:
    needed(asked, "posMode")
    return _set_position_mode(asked, asked.params["posMode"])


def set_hold_mode(asked: Asked) -> Any:
    needed(asked, "holdMode")
    return _set_position_mode(asked, asked.params["holdMode"])


def _set_leverage(asked: Asked, product: Product, side: str, code: str) -> Any:
    found = levers(asked, product, pair_of(asked, product))
    leverage = leverage_of(asked, Refused(code, "The leverage exceeds the effective range"))
    if side in ("", "long") or found.margin_mode == "crossed":
        found.long = leverage
    if side in ("", "short") or found.margin_mode == "crossed":
        found.short = leverage
    return {"leverage": str(leverage)}


def _set_position_mode(asked: Asked, mode: str) -> Any:
    if mode not in ("hedge_mode", "one_way_mode"):
        raise _wrong("posMode")
    set_hedged(asked, mode == "hedge_mode", Refused("40920", "Position or order exists"))
    return {"posMode": mode}


ROUTES: dict[str, tuple[Tell, int]] = {
    "/api/v2/mix/account/set-leverage": (set_leverage, 5),
    "/api/v2/mix/account/set-margin-mode": (set_margin_mode, 5),
    "/api/v2/mix/account/set-position-mode": (set_position_mode, 5),
    "/api/v3/account/set-leverage": (set_unified_leverage, 10),
    "/api/v3/account/set-hold-mode": (set_hold_mode, 10),
    "/api/v2/mix/order/place-order": (mix_place, 10),
    "/api/v2/mix/order/cancel-order": (mix_cancel, 10),
    "/api/v2/spot/trade/place-order": (spot_place, 10),
    "/api/v2/spot/trade/cancel-order": (spot_cancel, 10),
    "/api/v3/trade/place-order": (unified_place, 10),
    "/api/v3/trade/cancel-order": (unified_cancel, 10),
}
"""How each POST is answered, and how many may come in a second."""


def _placed(
    asked: Asked, product: Product, pair: Pair, side: Side, held: Held, closes: bool, codes: Codes
) -> Any:
    is_unified = codes is UNIFIED
    size = number(asked, "qty" if is_unified else "size", _wrong)
    price = number(asked, "price", _wrong)
    kind = asked.params["orderType"]
    if kind not in ("limit", "market") or size is None or (kind == "limit") is (price is None):
        raise _wrong("orderType")
    in_quote = product is Product.SPOT and kind == "market" and side == "buy"
    wish = Wish(
        product=product,
        pair=pair,
        side=side,
        held=held,
        closes=closes,
        size=size,
        price=price,
        force=asked.params.get("timeInForce" if is_unified else "force", "gtc"),
        client_id=asked.params.get("clientOid", ""),
        quote=size if in_quote else None,
    )
    return placed(asked, wish, codes, _told)


def _told(order: Order) -> dict[str, str]:
    return {"orderId": str(order.number), "clientOid": order.client_id}


def _side(asked: Asked) -> Side:
    if asked.params["side"] == "buy":
        return "buy"
    if asked.params["side"] == "sell":
        return "sell"
    raise _wrong("side")


def _wrong(name: str) -> Refused:
    return Refused("40020", f"Parameter {name} error")
