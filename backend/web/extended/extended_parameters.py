"""The parameters of `/extended/v1`, in Extended's words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from backend.services.history.ports import Place
from backend.trading.rows import Side
from backend.trading.tickets import Force
from backend.web.server.json_schema import Json, record
from backend.web.server.parameters import (
    Parameter,
    flag,
    invalid,
    one_of,
    read_text,
    required,
    text,
    whole,
)
from backend.web.trading.handler import ACCOUNT
from backend.web.trading.history import AFTER
from backend.web.trading.order_parameters import MONEY, MOST_LEVERAGE, read_money

SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
TYPES = {one: one for one in ("LIMIT", "MARKET")}
FORCES: Mapping[tuple[str, bool], Force | None] = MappingProxyType(
    {
        ("GTT", False): Force.GTC,
        ("GTT", True): Force.POST_ONLY,
        ("IOC", False): Force.IOC,
        ("IOC", True): None,
    }
)
"""By `timeInForce` and `postOnly`."""
INTERVALS = {
    "PT1M": "1m",
    "PT5M": "5m",
    "PT15M": "15m",
    "PT30M": "30m",
    "PT1H": "1h",
    "PT2H": "2h",
    "PT4H": "4h",
    "PT8H": "8h",
    "PT12H": "12h",
    "PT24H": "1d",
    "P1D": "1d",
    "P7D": "1w",
}
PRICES = {"trades": "perpetual", "mark-prices": "perpetual-mark", "index-prices": "perpetual-index"}


def _money(name: str, about: str) -> Parameter[Decimal | None]:
    return Parameter(name, about, MONEY, read_money, None)


def _time(name: str, value: object) -> int:
    said = str(value)
    if not (said.isascii() and said.isdigit() and len(said) <= 15):
        raise invalid(name, "a time in Unix milliseconds")
    return int(said)


def _leg(name: str, value: object) -> Decimal:
    """The trigger price of a stop."""
    if not isinstance(value, dict) or set(value) != {"triggerPrice"}:
        raise invalid(name, 'an object such as {"triggerPrice":"70000"}')
    return read_money("triggerPrice", value["triggerPrice"])


LEG: Json = record({"triggerPrice": MONEY})
MILLISECONDS: Json = {"type": "integer", "minimum": 0}

MARKET: Parameter[str] = text("market", "Such as `BTC-USD`")
ONLY_MARKET: Parameter[str] = text("market", "Only this market", default="")
LIMIT = whole("limit", "So many rows at most", highest=1000, default=100)
CURSOR: Parameter[Place | None] = Parameter(
    "cursor", "The `cursor` of the page before", {"type": "string"}, AFTER.read, None
)
INTERVAL: Parameter[str] = required(one_of("interval", INTERVALS, "How long a candle is", default=None))
CANDLE_TYPE: Parameter[str] = one_of(
    "type", {name: name for name in PRICES}, "Of which prices", default="trades", shown="trades"
)
END: Parameter[int | None] = Parameter(
    "endTime", "Only candles that open up to then", MILLISECONDS, _time, None
)
START: Parameter[int] = required(Parameter("startTime", "From then on", MILLISECONDS, _time, None))
UNTIL: Parameter[int] = required(Parameter("endTime", "Up to then, included", MILLISECONDS, _time, None))
CANDLES = (INTERVAL, CANDLE_TYPE, LIMIT, END)
FUNDING = (START, UNTIL)
OF_ACCOUNT = (ACCOUNT,)
OF_MARKET = (ACCOUNT, ONLY_MARKET)
ONE_MARKET = (ACCOUNT, MARKET)
ROWS = (ACCOUNT, ONLY_MARKET, LIMIT, CURSOR)

LEVERAGE: Parameter[int] = required(whole("leverage", "The leverage", highest=MOST_LEVERAGE))
SETTING_LEVERAGE = (ACCOUNT, MARKET, LEVERAGE)

EXTERNAL_ID: Parameter[str | None] = Parameter(
    "id", "Your own name of the order: a repeated one is the same order", {"type": "string"}, read_text, None
)
TYPE: Parameter[str] = one_of("type", TYPES, "The kind", default="LIMIT", shown="LIMIT")
SIDE: Parameter[Side] = required(one_of("side", SIDES, "The direction of the trade", default=None))
QTY: Parameter[Decimal] = required(_money("qty", "How much, in base coins"))
PRICE = _money("price", "The price of a limit order")
TIME_IN_FORCE: Parameter[str] = one_of(
    "timeInForce", {"GTT": "GTT", "IOC": "IOC"}, "How long the order stays", default="GTT", shown="GTT"
)
POST_ONLY = flag("postOnly", "The order never takes an offer")
REDUCE_ONLY = flag("reduceOnly", "The order may only make the position smaller")
TAKE_PROFIT: Parameter[Decimal | None] = Parameter(
    "takeProfit", "Close what this order opens, at the market, from this price on", LEG, _leg, None
)
STOP_LOSS: Parameter[Decimal | None] = Parameter("stopLoss", "The same against a loss", LEG, _leg, None)
ORDERING = (
    *(ACCOUNT, EXTERNAL_ID, MARKET, TYPE, SIDE, QTY, PRICE, TIME_IN_FORCE),
    *(POST_ONLY, REDUCE_ONLY, TAKE_PROFIT, STOP_LOSS),
)
NEW_PRICE, NEW_QTY = _money("price", "The new price"), _money("qty", "The new quantity")
AMENDING = (NEW_PRICE, NEW_QTY)
