"""How BingX's accounts place and cancel orders: perpetuals (`swap`, `cswap`) and spot.

Source: https://bingx-api.github.io/docs-v3 (Swap, Coin-M and Spot, Trades).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulator.private.accounts import Asked, Refused, Tell
from tests.simulator.private.bingx_words import needed, order_of, wrong
from tests.simulator.private.placing import Codes, Wish, cancelled, net_closes, number, placed
from tests.simulator.private.rows import Held, Order, Pair, Product, Side
from tests.simulator.private.setup import leverage_of, levers, set_hedged
from tests.simulator.private.sockets import LISTEN_KEY, new_listen_key

CODES = Codes(duplicate="101481", busy="101500", no_position="101205", too_small="110422", no_price="101215")
FORCES = {"": "gtc", "GTC": "gtc", "IOC": "ioc", "FOK": "fok", "PostOnly": "post_only"}
PRODUCTS = {"USDT": Product.USDT, "USDC": Product.USDC, "USD": Product.COIN}
SWAP, COIN = "/openApi/swap/v2/trade", "/openApi/cswap/v1/trade"
SPOT = "/openApi/spot/v1/trade"


def perpetual_place(asked: Asked) -> Any:
    pair, side = _pair(asked), _side(asked)
    product = PRODUCTS.get(pair.quote)
    if product is None or (product is Product.COIN) is not ("/cswap/" in asked.path):
        raise wrong(asked, "symbol: it does not exist.")
    meant = asked.params.get("positionSide") or "LONG"
    if asked.book.facts.hedged is (meant == "BOTH"):
        mode = "Hedge mode" if asked.book.facts.hedged else "One-way mode"
        raise wrong(asked, f"In the {mode}, the 'PositionSide' field is wrong.")
    if meant == "BOTH":
        only = asked.params.get("reduceOnly") == "true"
        held: Held = "net"
        closes = net_closes(asked, product, pair, side, only=only)
    else:
        held = "long" if meant == "LONG" else "short"
        closes = side == ("sell" if held == "long" else "buy")
    return _placed(asked, product, pair, side, held, closes, "clientOrderId", _nested)


def perpetual_trial(asked: Asked) -> Any:
    """What an order would be answered, as far as its parameters tell; nothing is placed."""
    pair = _pair(asked)
    _side(asked)
    if asked.book.facts.hedged is ((asked.params.get("positionSide") or "LONG") == "BOTH"):
        raise wrong(asked, "the 'PositionSide' field does not match the mode.")
    return {"order": {"symbol": f"{pair.base}-{pair.quote}", "orderId": 0}}


def spot_place(asked: Asked) -> Any:
    return _placed(asked, Product.SPOT, _pair(asked), _side(asked), "", False, "newClientOrderId", _flat)


def perpetual_cancel(asked: Asked) -> Any:
    products = (Product.COIN,) if "/cswap/" in asked.path else (Product.USDT, Product.USDC)
    order = order_of(asked, products, "clientOrderId", absent="109421")
    return _nested(cancelled(asked, order, "80018"))


def spot_cancel(asked: Asked) -> Any:
    order = order_of(asked, (Product.SPOT,), "clientOrderID", absent="100404")
    return _flat(cancelled(asked, order, "100404"))


def leverages(asked: Asked) -> Any:
    pair = _pair(asked)
    found = levers(asked, PRODUCTS[pair.quote], pair)
    return {"longLeverage": found.long, "shortLeverage": found.short, "maxLongLeverage": 125}


def set_leverage(asked: Asked) -> Any:
    pair, side = _pair(asked), needed(asked, "side")
    if (side == "BOTH") is asked.book.facts.hedged or side not in ("LONG", "SHORT", "BOTH"):
        raise wrong(asked, "side: it does not match the position mode.")
    found = levers(asked, PRODUCTS[pair.quote], pair)
    leverage = leverage_of(asked, Refused("101414", "the leverage is too high"))
    if side in ("LONG", "BOTH"):
        found.long = leverage
    if side in ("SHORT", "BOTH"):
        found.short = leverage
    return {"leverage": leverage, "symbol": asked.params["symbol"]}


def margin_type(asked: Asked) -> Any:
    pair = _pair(asked)
    return {"marginType": levers(asked, PRODUCTS[pair.quote], pair).margin_mode.upper()}


def set_margin_type(asked: Asked) -> Any:
    pair, mode = _pair(asked), needed(asked, "marginType")
    if mode not in ("CROSSED", "ISOLATED"):
        raise wrong(asked, "marginType: it is unknown.")
    levers(asked, PRODUCTS[pair.quote], pair).margin_mode = mode.lower()
    return {}


def dual(asked: Asked) -> Any:
    return {"dualSidePosition": "true" if asked.book.facts.hedged else "false"}


def set_dual(asked: Asked) -> Any:
    hedged = needed(asked, "dualSidePosition") == "true"
    set_hedged(asked, hedged, Refused("104103", "there are positions or orders"))
    return dual(asked)


DUAL = "/openApi/swap/v1/positionSide/dual"
READS: dict[str, tuple[Tell, int, int]] = {
    f"{SWAP}/leverage": (leverages, 5, 2),
    f"{SWAP}/marginType": (margin_type, 2, 2),
    DUAL: (dual, 2, 2),
    f"{COIN}/leverage": (leverages, 5, 2),
    f"{COIN}/marginType": (margin_type, 5, 2),
}
"""How symbols are set."""

ROUTES: dict[tuple[str, str], tuple[Tell, int, int]] = {
    ("POST", LISTEN_KEY): (new_listen_key, 2, 2),
    ("POST", f"{SWAP}/order"): (perpetual_place, 10, 3),
    ("DELETE", f"{SWAP}/order"): (perpetual_cancel, 10, 3),
    ("POST", f"{SWAP}/order/test"): (perpetual_trial, 5, 2),
    ("POST", f"{COIN}/order"): (perpetual_place, 5, 2),
    ("DELETE", f"{COIN}/cancelOrder"): (perpetual_cancel, 5, 2),
    ("POST", f"{SPOT}/order"): (spot_place, 10, 3),
    ("POST", f"{SPOT}/cancel"): (spot_cancel, 5, 3),
    ("POST", f"{SWAP}/leverage"): (set_leverage, 5, 2),
    ("POST", f"{SWAP}/marginType"): (set_margin_type, 2, 2),
    ("POST", DUAL): (set_dual, 4, 2),
    ("POST", f"{COIN}/leverage"): (set_leverage, 5, 2),
    ("POST", f"{COIN}/marginType"): (set_margin_type, 5, 2),
}
"""How each is answered, and how many may come in a second, of an account and of an address."""


def _placed(
    asked: Asked,
    product: Product,
    pair: Pair,
    side: Side,
    held: Held,
    closes: bool,
    own: str,
    tell: Callable[[Order], Any],
) -> Any:
    def refused(name: str) -> Refused:
        return wrong(asked, f"{name}: This field must be a number.")

    size, quote = number(asked, "quantity", refused), number(asked, "quoteOrderQty", refused)
    price, kind = number(asked, "price", refused), needed(asked, "type")
    if kind not in ("LIMIT", "MARKET") or (kind == "LIMIT") is (price is None):
        raise wrong(asked, "type: price and type contradict each other.")
    amount = quote if size is None else size
    if amount is None:
        raise wrong(asked, "quantity: This field is required.")
    wish = Wish(
        product=product,
        pair=pair,
        side=side,
        held=held,
        closes=closes,
        size=amount,
        price=price,
        force=FORCES[asked.params.get("timeInForce", "")],
        client_id=asked.params.get(own, "").lower(),
        quote=quote if size is None else None,
    )
    return placed(asked, wish, CODES, tell)


def _nested(order: Order) -> dict[str, Any]:
    return {"order": _flat(order)}


def _flat(order: Order) -> dict[str, Any]:
    symbol = f"{order.pair.base}-{order.pair.quote}"
    return {"symbol": symbol, "orderId": order.number, "clientOrderID": order.client_id}


def _pair(asked: Asked) -> Pair:
    base, _, quote = needed(asked, "symbol").rpartition("-")
    if not base or not quote:
        raise wrong(asked, "symbol: it must have a hyphen.")
    return Pair(base, quote)


def _side(asked: Asked) -> Side:
    sides: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
    if (said := needed(asked, "side")) not in sides:
        raise wrong(asked, "side: This field must be one of BUY SELL.")
    return sides[said]
