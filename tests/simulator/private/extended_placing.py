"""Orders that arrive at Extended: checked in the order that its documents suggest, and their signatures too.

Source: https://api.docs.extended.exchange (Order management). Whoever is let pass has an order; the engine
may end it at once, as it does with a post-only order that would take.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.simulator.private import stark
from tests.simulator.private.accounts import Asked, Refused
from tests.simulator.private.extended_rows import market_row, pair_of
from tests.simulator.private.placing import Codes, Wish, net_closes, placed
from tests.simulator.private.rows import Order, Pair, Product, Side
from tests.simulator.private.setup import leverage_of, levers

CODES = Codes(duplicate="1134", busy="1006", no_position="1137", too_small="1120", no_price="1133")
USD = Product.USDC
DAY = 86_400_000
LONGEST = {stark.MAINNET: 90 * DAY, stark.TESTNET: 28 * DAY}
LEAST_FEE = Decimal("0.00025")
BAND = Decimal("0.05")
LEGS = ("takeProfit", "stopLoss")


def place(asked: Asked, order: Mapping[str, Any], chain: str) -> Any:
    """An order of a body."""
    pair, side = _pair(asked, order), _side(order)
    size, price = _number(order, "qty", "1123"), _number(order, "price", "1130")
    config = market_row(pair, price)["tradingConfig"]
    _stepped(size, config["minOrderSizeChange"], "1121")
    _stepped(price, config["minPriceChange"], "1124")
    if size < Decimal(config["minOrderSize"]):
        raise Refused("1120", "Order quantity less than min trade size.")
    last = asked.book.price_of(USD, pair)
    if price > last * (1 + BAND) if side == "buy" else price < last * (1 - BAND):
        raise Refused("1141", "Invalid price amount.")
    is_market = order.get("type") == "MARKET"
    if is_market and order.get("timeInForce") != "IOC":
        raise Refused("1139", "Market order must be IOC.")
    if order.get("timeInForce") not in ("GTT", "IOC"):
        raise Refused("1133", "Invalid order parameters.")
    _signed(asked, order, pair, side, chain)
    only = order.get("reduceOnly") is True
    held = asked.book.size_of(USD, pair, "net")
    if only and not held:
        raise Refused("1137", "Position is missing for reduce-only order.")
    if only and (held > 0) is (side == "buy"):
        raise Refused("1138", "Position is same side as reduce-only order.")
    if only and size > abs(held):
        raise Refused("1136", "Reduce-only order size exceeds position size.")
    wish = Wish(
        product=USD,
        pair=pair,
        side=side,
        held="net",
        closes=net_closes(asked, USD, pair, side, only=only),
        size=size,
        price=None if is_market else price,
        force="ioc" if order["timeInForce"] == "IOC" else "gtc",
        client_id=str(order["id"]),
    )
    takes = last <= price if side == "buy" else last >= price
    if order.get("postOnly") is True and takes:
        return _told(_ended_at_once(asked, wish))
    return placed(asked, wish, CODES, _told)


def _ended_at_once(asked: Asked, wish: Wish) -> Order:
    now = max(asked.now, asked.book.now)
    order = asked.book.place(
        wish.product,
        wish.pair,
        wish.side,
        wish.size,
        now,
        price=wish.price,
        held="net",
        client_id=wish.client_id,
    )
    asked.book.cancel(order.number, now)
    return asked.book.order_of(number=order.number) or order


def cancel(asked: Asked, number: str) -> Any:
    """Ends an order that is open. The answer says the same of one that is not."""
    own = asked.params.get("externalId", "")
    order = asked.book.order_of(number=int(number) if number.isdigit() else 0, client_id=own)
    if order is None or asked.faults.private.hides(order.number, asked.now):
        raise Refused("404", "Order not found.", 404)
    if order.number in asked.book.open:
        asked.book.cancel(order.number, max(asked.now, asked.book.now))
    return None


def set_leverage(asked: Asked, body: Mapping[str, Any]) -> Any:
    pair = _pair(asked, body)
    wanted = Asked(
        asked.account, asked.path, {"leverage": str(body.get("leverage"))}, asked.now, asked.faults
    )
    leverage = leverage_of(wanted, Refused("1050", "Max leverage exceeded."))
    found = levers(asked, USD, pair)
    found.long = found.short = leverage
    return {"market": body["market"], "leverage": str(leverage)}


def _told(order: Order) -> dict[str, Any]:
    return {"id": order.number, "externalId": order.client_id}


def _pair(asked: Asked, body: Mapping[str, Any]) -> Pair:
    pair = pair_of(str(body.get("market", "")))
    if not asked.book.knows(USD, pair):
        raise Refused("1001", "Market not found.", 404)
    return pair


def _side(order: Mapping[str, Any]) -> Side:
    sides: dict[Any, Side] = {"BUY": "buy", "SELL": "sell"}
    if order.get("side") not in sides:
        raise Refused("422", "Unprocessable entity.", 422)
    return sides[order["side"]]


def _number(order: Mapping[str, Any], name: str, code: str) -> Decimal:
    try:
        found = Decimal(order[name]) if isinstance(order.get(name), str) else Decimal(0)
    except InvalidOperation:
        found = Decimal(0)
    if not found.is_finite() or found <= 0:
        raise Refused(code, f"Invalid {name}.")
    return found


def _stepped(number: Decimal, step: str, code: str) -> None:
    if number % Decimal(step):
        raise Refused(code, "Not a multiple of the step.")


def _signed(asked: Asked, order: Mapping[str, Any], pair: Pair, side: Side, chain: str) -> None:
    """Whether the account signed these very numbers, of the order and of its legs, for this chain."""
    expiry, fee = order.get("expiryEpochMillis"), _number(order, "fee", "1128")
    if not isinstance(expiry, int) or not asked.now < expiry <= asked.now + LONGEST[chain]:
        raise Refused("1135", "Invalid order expiration time.")
    if fee < LEAST_FEE:
        raise Refused("1128", "Invalid fee.")
    other: Side = "sell" if side == "buy" else "buy"
    bodies = [(order, side), *((order[name], other) for name in LEGS if name in order)]
    for body, of_side in bodies:
        _check(asked, order, body, of_side, pair, chain)


def _check(
    asked: Asked, order: Mapping[str, Any], body: Mapping[str, Any], side: Side, pair: Pair, chain: str
) -> None:
    settled = body.get("settlement")
    if not isinstance(settled, Mapping):
        raise Refused("1101", "Invalid StarkEx signature.")
    own = int(asked.account.keys.secret, 16)
    if int(settled["starkKey"], 16) != stark.public_key(own):
        raise Refused("1100", "Invalid StarkEx public key.")
    if str(settled["collateralPosition"]) != asked.account.keys.passphrase:
        raise Refused("1102", "Invalid StarkEx vault.")
    numbers = _hashed(order, body, side, pair, int(settled["collateralPosition"]))
    public = int(settled["starkKey"], 16)
    number = stark.order_hash(numbers, public, chain)
    r, s = (int(settled["signature"][name], 16) for name in ("r", "s"))
    if not stark.verified(public, number, r, s):
        raise Refused("1101", "Invalid StarkEx signature.")


def _hashed(
    order: Mapping[str, Any], body: Mapping[str, Any], side: Side, pair: Pair, vault: int
) -> stark.Order:
    """The numbers by hand: a purchase is rounded away from zero, a sale towards it, a fee up."""
    chain = market_row(pair, Decimal(1))["l2Config"]
    size, price, fee = (Decimal(text) for text in (order["qty"], body["price"], order["fee"]))
    base = size * chain["syntheticResolution"]
    value = size * price * chain["collateralResolution"]
    collateral = int(chain["collateralId"], 16)
    return stark.Order(
        position=vault,
        base_asset=int(chain["syntheticId"], 16),
        base=_up(base) if side == "buy" else -int(base),
        quote_asset=collateral,
        quote=-_up(value) if side == "buy" else int(value),
        fee_asset=collateral,
        fee=_up(fee * value),
        expiration=-(-order["expiryEpochMillis"] // 1000) + 14 * 86_400,
        salt=int(order["nonce"]),
    )


def _up(number: Decimal) -> int:
    return int(number) + (number != int(number))
