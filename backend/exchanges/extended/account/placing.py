"""How orders are placed at Extended, after https://api.docs.extended.exchange (Order management).

An answer says that the gateway took the order; the engine may still reject it, which the order's state tells.
There are no market orders but those that take the best offers up to a price. A signature needs the market's
units on the chain. So the market is asked before each order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from backend.core.windows import DAY
from backend.errors import ExchangeRefused, MalformedAnswer
from backend.exchanges.base import Request
from backend.exchanges.extended.account.asking import asked
from backend.exchanges.extended.market import COST, VENUE
from backend.exchanges.extended.signing import ORDERS, SALTS, Draft, Units
from backend.exchanges.private.venue import Call, Place, Placing, Prepared
from backend.exchanges.private.wire import Id, Listed, Name, Told, question
from backend.trading.money import Exact, is_multiple, plain, round_down, times
from backend.trading.rows import Product, Side
from backend.trading.rules import Rules
from backend.trading.tickets import Force, Ticket

Made = TypeVar("Made")

MARKETS = "/info/markets"

TAKES_FOR = 120_000
"""Ms for which an order that takes at once may be executed. It bounds how late the venue may accept it."""
RESTS_FOR = 27 * DAY
"""Ms for which an order rests: the test venue allows 28 days at most, the other one 90."""
MOST_FEE = Decimal("0.0005")
"""The highest fee rate that an order agrees to, as the official SDK has it."""
SLIPPAGE = Decimal("0.0075")
"""How far beyond the best offer a market order goes, as the documents and the official SDK have it."""


class Trading(msgspec.Struct, rename="camel"):
    min_order_size: Exact
    min_order_size_change: Exact
    min_price_change: Exact


class Chain(msgspec.Struct, rename="camel"):
    synthetic_id: Name
    synthetic_resolution: int
    collateral_id: Name
    collateral_resolution: int


class Stats(msgspec.Struct, rename="camel"):
    bid_price: Exact | None = None
    ask_price: Exact | None = None


class MarketRow(msgspec.Struct, rename="camel"):
    name: Name
    trading_config: Trading
    l2_config: Chain | None = None
    market_stats: Stats | None = None

    def rules(self) -> Rules:
        return Rules(
            price_step=self.trading_config.min_price_change,
            size_step=self.trading_config.min_order_size_change,
            least_size=self.trading_config.min_order_size,
        )


class Placed(msgspec.Struct, rename="camel"):
    id: Id


def rules(_product: Product, symbol: str) -> Call[Rules]:
    """The steps and minima of a market."""
    return _of_market(symbol, lambda row: row.rules())


def _of_market(symbol: str, make: Callable[[MarketRow], Made]) -> Call[Made]:
    def made(said: Listed[MarketRow]) -> Made:
        markets = [row for row in said.data if row.name == symbol]
        if len(markets) != 1:
            raise MalformedAnswer(f"{VENUE} tells of {len(markets)} markets for one symbol")
        return make(markets[0])

    return asked(MARKETS, {"market": symbol}, Listed[MarketRow], made)


def prepare(ticket: Ticket) -> Call[Place]:
    """Asks for the market of an order. Raises ExchangeRefused where the venue has no such order."""
    if ticket.held != "net":
        raise ExchangeRefused(f"{VENUE} has one position a market: leave position out")
    if ticket.force is Force.FOK:
        raise ExchangeRefused(f"{VENUE} fills no order as a whole or not at all: use ioc")
    return _of_market(ticket.symbol, _placing)


def _placing(row: MarketRow) -> Place:
    def place(ticket: Ticket, client_id: str) -> Call[str]:
        return _place(row, ticket, client_id)

    return place


def _place(row: MarketRow, ticket: Ticket, client_id: str) -> Call[str]:
    if row.l2_config is None:
        raise MalformedAnswer(f"{VENUE} does not tell the units of a market on the chain")
    assert ticket.size is not None
    is_market = ticket.price is None
    takes = is_market or ticket.force is Force.IOC
    order: dict[str, Any] = {
        "id": client_id,
        "market": ticket.symbol,
        "type": "MARKET" if is_market else "LIMIT",
        "side": ticket.side.upper(),
        "qty": plain(ticket.size),
        "price": plain(_worst(row, ticket.side) if ticket.price is None else ticket.price),
        "timeInForce": "IOC" if takes else "GTT",
        "reduceOnly": ticket.reduce_only,
        "postOnly": ticket.force is Force.POST_ONLY,
        "fee": plain(MOST_FEE),
        "nonce": str(salt_of(client_id)),
        "selfTradeProtectionLevel": "ACCOUNT",
    }
    legs = {"takeProfit": ticket.take_profit, "stopLoss": ticket.stop_loss}
    if any(price is not None for price in legs.values()):
        order["tpSlType"] = "ORDER"
        order |= {name: _leg(row, ticket.side, price) for name, price in legs.items() if price is not None}
    units = Units(
        synthetic=row.l2_config.synthetic_id,
        synthetic_resolution=row.l2_config.synthetic_resolution,
        collateral=row.l2_config.collateral_id,
        collateral_resolution=row.l2_config.collateral_resolution,
    )
    body = msgspec.json.encode(Draft(order, units, TAKES_FOR if takes else RESTS_FOR))
    request = Request(ORDERS, cost=COST, method="POST", body=body, urgent=True)
    return question(request, Told[Placed], lambda said: str(said.data.id), VENUE)


def _leg(row: MarketRow, side: Side, trigger: Decimal) -> Mapping[str, Any]:
    """A price that closes the position at the market once it is reached."""
    closes: Side = "sell" if side == "buy" else "buy"
    return {
        "triggerPrice": plain(trigger),
        "triggerPriceType": "MARK",
        "price": plain(_beyond(trigger, closes, row)),
        "priceType": "MARKET",
    }


def _worst(row: MarketRow, side: Side) -> Decimal:
    """The worst price that a market order takes."""
    stats = row.market_stats or Stats()
    best = stats.ask_price if side == "buy" else stats.bid_price
    if not best:
        raise ExchangeRefused(f"{VENUE} tells no offer of {row.name}: a market order has no price to go by")
    return _beyond(best, side, row)


def _beyond(price: Decimal, side: Side, row: MarketRow) -> Decimal:
    """A price that is worse for the side, on the market's next step outward."""
    step = row.trading_config.min_price_change
    moved = times(price, 1 + SLIPPAGE if side == "buy" else 1 - SLIPPAGE)
    lower = round_down(moved, step=step)
    return lower if side == "sell" or is_multiple(moved, step=step) else lower + step


def salt_of(client_id: str) -> int:
    """The number that tells an order's signature from those of equal orders: always the same for an id."""
    return int.from_bytes(sha256(client_id.encode()).digest()[:8], "big") % SALTS + 1


def cancel(_product: Product, _symbol: str, order_id: str, client_id: str) -> Call[None]:
    """Asks for the end of an order."""
    path = f"{ORDERS}/{order_id}" if order_id else ORDERS
    params = {} if order_id else {"externalId": client_id}
    return Call(Request(path, params, COST, method="DELETE", urgent=True), lambda _answer: None)


PLACING = Placing(place=Prepared(prepare), cancel=cancel, rules=rules)
