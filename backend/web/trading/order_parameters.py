"""The parameters of orders. Money is text in JSON: a number there may have lost digits already."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from backend.errors import InvalidRequest
from backend.services.orders.cancelling import Step
from backend.trading.intents import State
from backend.trading.money import exact
from backend.trading.risk import MOST_ENTRIES, Limits
from backend.trading.rows import Held, Product, Side
from backend.trading.tickets import Force, InvalidTicket, MarginMode, Ticket
from backend.web.server.json_schema import TEXT, Json, listed, record
from backend.web.server.parameters import (
    Parameter,
    Values,
    flag,
    invalid,
    one_of,
    required,
    switch,
    text,
    whole,
)
from backend.web.trading.handler import ACCOUNT, PRODUCTS, SYMBOL

MONEY: Json = TEXT | {"pattern": r"^[0-9]+(\.[0-9]+)?$", "examples": ["0.01"]}
EXPECTED = 'a number above zero, written as text, such as "0.01"'
MOST_FEE = Decimal("0.1")
FEE_EXPECTED = 'a number from zero on and below 0.1, written as text, such as "0.0006"'
MOST_SYMBOLS = 200
MOST_LEVERAGE = 500

SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
HELD: dict[str, Held] = {"net": "net", "long": "long", "short": "short"}
MODES: dict[str, MarginMode] = {"crossed": "crossed", "isolated": "isolated"}


def read_money(name: str, value: object) -> Decimal:
    """A number above zero, exact. A JSON number with a fraction is refused."""
    try:
        number = Decimal(exact(value))
    except ValueError:
        raise invalid(name, EXPECTED) from None
    if number <= 0:
        raise invalid(name, EXPECTED)
    return number


def fee(name: str, about: str) -> Parameter[Decimal | None]:
    """A part of a trade's value, from zero on and below one tenth."""
    return Parameter(name, about, MONEY, _read_fee, None)


def _read_fee(name: str, value: object) -> Decimal:
    try:
        number = Decimal(exact(value))
    except ValueError:
        raise invalid(name, FEE_EXPECTED) from None
    if not 0 <= number < MOST_FEE:
        raise invalid(name, FEE_EXPECTED)
    return number


def _money(name: str, about: str) -> Parameter[Decimal | None]:
    return Parameter(name, about, MONEY, read_money, None)


TRADED = one_of(
    "product", PRODUCTS, "The product", default=Product.PERPETUAL_USDT, shown=Product.PERPETUAL_USDT.value
)
SIDE: Parameter[Side] = required(
    one_of("side", SIDES, "The direction of the trade: buying closes a short position", default=None)
)
SIZE = _money("size", "How much: in base coins; in contracts for coin-margined perpetuals of BingX")
QUOTE_SIZE = _money("quote_size", "How many quote coins a market order spends that buys on spot")
PRICE = _money("price", "The price of a limit order; left out, it is a market order")
FORCE = one_of(
    "force", {one.value: one for one in Force}, "How long a limit order stays", default=Force.GTC, shown="gtc"
)
POSITION = one_of(
    "position",
    HELD,
    "`long` or `short` where the account holds both sides of a symbol, else `net`",
    default=HELD["net"],
    shown="net",
)
REDUCE_ONLY = flag("reduce_only", "The order may only make the position smaller")
TAKE_PROFIT = _money("take_profit", "Close what this order opens, at the market, from this price on")
STOP_LOSS = _money("stop_loss", "The same against a loss")
MARGIN_MODE = one_of(
    "margin_mode", MODES, "For Bitget's classic account", default=MODES["crossed"], shown="crossed"
)
PLACING = (
    *(ACCOUNT, TRADED, SYMBOL, SIDE, SIZE, QUOTE_SIZE, PRICE, FORCE, POSITION),
    *(REDUCE_ONLY, TAKE_PROFIT, STOP_LOSS, MARGIN_MODE),
)

TRIGGER_PRICE = _money("trigger_price", "The order waits at this service until the market gets to this price")
ORDERING = (*PLACING, TRIGGER_PRICE)
AMENDING = (PRICE, SIZE)

DRY_RUN = switch("dry_run", "`true`: say what would be sent, and send nothing")
TRYING = (DRY_RUN,)

ONLY_SYMBOL: Parameter[str] = text("symbol", "Only this symbol, in the exchange's own spelling", default="")
OF_ACCOUNT = (ACCOUNT, ONLY_SYMBOL)

STATE = one_of("state", {one.value: one for one in State}, "Only intents in this state", default=None)
LIMIT = whole("limit", "So many rows at most", highest=1000, default=100)


def _after(name: str, value: object) -> tuple[int, str]:
    time, _, row = str(value).partition("~")
    if not (time.isascii() and time.isdigit() and len(time) < 16 and 0 < len(row) <= 64 and row.isalnum()):
        raise invalid(name, "the `next` of a page")
    return int(time), row


AFTER: Parameter[tuple[int, str] | None] = Parameter(
    "after", "The `next` of the page before", TEXT, _after, None
)
INTENTS = (ACCOUNT, ONLY_SYMBOL, STATE, LIMIT, AFTER)
AUDIT = (ACCOUNT, LIMIT, AFTER)

STEP = one_of(
    "step",
    {one.value: one for one in Step},
    "`entries`: no new ones; `cancel`: also cancel all orders; `flatten`: also close all positions; `off`",
    default=Step.ENTRIES,
    shown="entries",
)
KILLING = (ACCOUNT, STEP)


def ticket_of(values: Values) -> Ticket:
    """The ticket of a request. Raises InvalidRequest."""
    try:
        return Ticket(
            product=values[TRADED],
            symbol=values[SYMBOL],
            side=values[SIDE],
            size=values[SIZE],
            quote_size=values[QUOTE_SIZE],
            price=values[PRICE],
            force=values[FORCE],
            held=values[POSITION],
            reduce_only=values[REDUCE_ONLY],
            take_profit=values[TAKE_PROFIT],
            stop_loss=values[STOP_LOSS],
            margin_mode=values[MARGIN_MODE],
        )
    except InvalidTicket as error:
        raise InvalidRequest(str(error), code="invalid_order") from None


LEVERAGE: Parameter[int] = required(whole("leverage", "The leverage", highest=MOST_LEVERAGE))
SETTING_LEVERAGE = (ACCOUNT, TRADED, SYMBOL, LEVERAGE, POSITION)
NEW_MARGIN_MODE: Parameter[MarginMode] = required(
    one_of("margin_mode", MODES, "The margin mode of the symbol", default=None)
)
SETTING_MARGIN_MODE = (ACCOUNT, TRADED, SYMBOL, NEW_MARGIN_MODE)
POSITION_MODES = {"hedge": True, "one_way": False}
POSITION_MODE: Parameter[bool] = required(
    one_of(
        "position_mode",
        POSITION_MODES,
        "`hedge`: long and short side by side; `one_way`: one a symbol",
        default=None,
    )
)
SETTING_POSITION_MODE = (ACCOUNT, TRADED, SYMBOL, POSITION_MODE)

_COUNTS = {"entries_per_minute": MOST_ENTRIES, "max_leverage": MOST_LEVERAGE}
_VALUES = ("max_order_value", "max_position_value", "price_band", "max_daily_loss")
_MAYBE_MONEY: Json = MONEY | {"type": ["string", "null"]}
LIMITS_SCHEMA = record(
    {
        **dict.fromkeys(_VALUES, _MAYBE_MONEY),
        "entries_per_minute": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_ENTRIES},
        "max_leverage": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_LEVERAGE},
        "symbols": listed(TEXT) | {"maxItems": MOST_SYMBOLS},
    },
    optional=(*_VALUES, "entries_per_minute", "max_leverage", "symbols"),
)


def read_limits(name: str, value: object) -> Limits:
    """All limits at once: what is left out, or null, is no limit."""
    known = {*_VALUES, *_COUNTS, "symbols"}
    if not isinstance(value, dict) or not known.issuperset(value):
        raise invalid(name, f"an object with {', '.join(sorted(known))}")
    given: dict[str, Any] = {one: each for one, each in value.items() if each is not None}
    for one, most in _COUNTS.items():
        if one in given and (type(given[one]) is not int or not 0 < given[one] <= most):
            raise invalid(name, f"such that {one} is a whole number from 1 to {most}")
    symbols = given.get("symbols", [])
    if not isinstance(symbols, list) or len(symbols) > MOST_SYMBOLS or not all(map(_is_symbol, symbols)):
        raise invalid(name, f"such that symbols is a list of up to {MOST_SYMBOLS} symbols")
    counts = {one: given.get(one) for one in _COUNTS}
    values: dict[str, Any] = {one: read_money(name, given[one]) for one in _VALUES if one in given}
    return Limits(symbols=tuple(symbols), **counts, **values)


def _is_symbol(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 50 and value.isprintable()
