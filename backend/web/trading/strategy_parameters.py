"""The parameters of strategies and alarms. Money is text in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

from backend.trading.alarms.alarm import AlarmState
from backend.trading.alarms.strategy import NAMES, By, Condition, Kind, Operator, Sizing, Strategy, is_known
from backend.trading.money import exact
from backend.trading.rows import Product
from backend.web.server.json_schema import FLAG, TEXT, Json, choice, listed, record
from backend.web.server.parameters import Parameter, Values, invalid, moment, one_of, required, text, whole
from backend.web.trading.handler import ACCOUNT, PRODUCTS
from backend.web.trading.order_parameters import AFTER, LIMIT, MODES, MONEY, MOST_LEVERAGE, read_money

MOST_CONDITIONS, MOST_TICKERS = 20, 500
LONGEST_NAME, LONGEST_SYMBOL = 40, 50
LONGEST_WAIT_SECONDS, LONGEST_AGE_SECONDS = 300, 86_400
OPERATORS: tuple[str, ...] = get_args(Operator)
PARTS = (By.EQUITY, By.RISK)


def _name(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not _is_name(value):
        raise invalid(name, f"1 to {LONGEST_NAME} small letters, digits and hyphens")
    return value


def _is_name(value: str) -> bool:
    return set(value) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and value[0] != "-"


def _label(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 100 or not value.isprintable():
        raise invalid(name, "a text of up to 100 printable characters")
    return value


def _enabled(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(name, "true or false")
    return value


def _symbols(name: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_TICKERS:
        raise invalid(name, f"an object of up to {MOST_TICKERS} tickers, each with a symbol")
    for one in (*value, *value.values()):
        if not isinstance(one, str) or not 0 < len(one) <= LONGEST_SYMBOL or not one.isprintable():
            raise invalid(name, f"such that each ticker and symbol has 1 to {LONGEST_SYMBOL} characters")
    return dict(value)


def _sizing(name: str, value: object) -> Sizing:
    expected = f"an object with by ({', '.join(By)}) and amount, a number above zero as text"
    if not isinstance(value, dict) or set(value) != {"by", "amount"} or value["by"] not in list(By):
        raise invalid(name, expected)
    by, amount = By(value["by"]), read_money(name, value["amount"])
    if by in PARTS and amount > 1:
        raise invalid(name, f"such that amount is a part, up to 1, where by is {by}")
    return Sizing(by=by, amount=amount)


def _conditions(name: str, value: object) -> tuple[Condition, ...]:
    if not isinstance(value, list) or len(value) > MOST_CONDITIONS:
        raise invalid(name, f"a list of up to {MOST_CONDITIONS} conditions")
    return tuple(_condition(name, one) for one in value)


def _condition(name: str, value: object) -> Condition:
    if not isinstance(value, dict) or set(value) != {"left", "op", "right"} or value["op"] not in OPERATORS:
        raise invalid(name, f"objects with left, op ({' '.join(OPERATORS)}) and right")
    for side in ("left", "right"):
        if not isinstance(value[side], str) or not is_known(value[side]):
            raise invalid(name, f"such that {side} is a number as text, or one of {', '.join(sorted(NAMES))}")
    return Condition(left=value["left"], op=value["op"], right=value["right"])


def _part(name: str, value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        number = Decimal(exact(value))
    except ValueError:
        raise invalid(name, "a part of the price below 1, as text, or null") from None
    if not 0 < number < 1:
        raise invalid(name, "a part of the price below 1, as text, or null")
    return number


def _leverage(name: str, value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= MOST_LEVERAGE:
        raise invalid(name, f"a whole number from 1 to {MOST_LEVERAGE}, or null")
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(name, "an object")
    return value


def _seconds(name: str, about: str, most: int, default: int) -> Parameter[int]:
    return whole(name, about, highest=most, default=default)


_MAYBE: Json = MONEY | {"type": ["string", "null"]}
_SIDE = TEXT | {"maxLength": LONGEST_SYMBOL}

ID: Parameter[str] = Parameter(
    "id", "The strategy's name: small letters, digits, hyphens", TEXT | {"maxLength": LONGEST_NAME}, _name
)
LABEL: Parameter[str] = Parameter("label", "What you call it", TEXT | {"maxLength": 100}, _label, "")
ENABLED: Parameter[bool] = Parameter(
    "enabled", "`false`: its alarms are kept and do nothing", FLAG, _enabled, True
)
TRADED = one_of(
    "product", PRODUCTS, "The product", default=Product.PERPETUAL_USDT, shown=Product.PERPETUAL_USDT.value
)
KIND = one_of(
    "kind",
    {one.value: one for one in Kind},
    "`target`: an alarm tells the position that should be there afterwards; `as_told`: it tells an order",
    default=Kind.TARGET,
    shown=Kind.TARGET.value,
)
SYMBOLS: Parameter[Mapping[str, str]] = Parameter(
    "symbols",
    'Tickers and the exchange\'s symbols, such as `{"BTCUSDT.P": "BTC-USDT"}`; empty: spelled by rule',
    {"type": "object", "additionalProperties": _SIDE, "maxProperties": MOST_TICKERS},
    _symbols,
    {},
)
SIZING: Parameter[Sizing] = required(
    Parameter(
        "sizing",
        "How large: `alarm` (times the alarm's number), `size` (base coins), `quote` (quote coins), `equity` "
        "(a part of it), `risk` (a part of it that is lost at the stop-loss)",
        record({"by": choice([one.value for one in By]), "amount": MONEY}),
        _sizing,
        None,
    )
)
LEVERAGE: Parameter[int | None] = Parameter(
    "leverage",
    "Set before an entry; left out or null, it stays as it is",
    {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_LEVERAGE},
    _leverage,
    None,
)
MARGIN_MODE = one_of(
    "margin_mode", MODES, "For Bitget's classic account", default=MODES["crossed"], shown="crossed"
)
TAKE_PROFIT: Parameter[Decimal | None] = Parameter(
    "take_profit", "A part of the price, such as `0.02`, where the alarm names no price", _MAYBE, _part, None
)
STOP_LOSS: Parameter[Decimal | None] = Parameter("stop_loss", "The same against a loss", _MAYBE, _part, None)
CONDITIONS: Parameter[tuple[Condition, ...]] = Parameter(
    "conditions",
    "All must hold, or the alarm does nothing",
    listed(record({"left": _SIDE, "op": choice(OPERATORS), "right": _SIDE})) | {"maxItems": MOST_CONDITIONS},
    _conditions,
    (),
)
MAX_AGE = _seconds("max_age_seconds", "An older alarm opens nothing", LONGEST_AGE_SECONDS, 60)
LINK_WAIT = _seconds(
    "link_wait_seconds", "How long an alarm waits for the one before it", LONGEST_WAIT_SECONDS, 10
)
CHANGEABLE = (
    *(LABEL, ENABLED, ACCOUNT, TRADED, KIND, SYMBOLS, SIZING, LEVERAGE, MARGIN_MODE, TAKE_PROFIT, STOP_LOSS),
    *(CONDITIONS, MAX_AGE, LINK_WAIT),
)
PLAIN: tuple[Parameter[Any], ...] = (
    *(LABEL, ENABLED, TRADED, KIND, SYMBOLS, SIZING, LEVERAGE, MARGIN_MODE),
    *(TAKE_PROFIT, STOP_LOSS, CONDITIONS),
)
"""Those whose names and values are those of a strategy."""
ADDING = (ID, *CHANGEABLE)

ALARM: Parameter[dict[str, Any]] = Parameter(
    "alarm", "The fields of the alarm, as the sender would send them", {"type": "object"}, _object
)
TESTING = (ALARM, ACCOUNT)

ONLY_STRATEGY = text("strategy", "Only this strategy's", default="")
ONLY_TICKER = text("ticker", "Only this ticker's", default="")
STATE = one_of("state", {one.value: one for one in AlarmState}, "Only those in this state", default=None)
FROM = moment("start_time", "Received at this time or later")
TO = moment("end_time", "Received at this time or earlier")
BALANCE: Parameter[Decimal] = Parameter(
    "balance", "So many USDT at first", MONEY, read_money, Decimal(10_000)
)
BEGIN: Parameter[int] = required(moment("from", "Alarms that came at this time or later"))
END = moment("to", "Alarms that came before this time; left out: until now")
REPLAYING = (BEGIN, END, BALANCE)
REPLAYS = (ONLY_STRATEGY, LIMIT)
ALARMS = (ONLY_STRATEGY, ONLY_TICKER, STATE, FROM, TO, LIMIT, AFTER)


def new_strategy(values: Values, account: str) -> Strategy:
    """The strategy of a request. Raises InvalidRequest."""
    plain = Strategy(
        id=values[ID],
        revision=0,
        token="",
        account=account,
        product=values[TRADED],
        kind=values[KIND],
        sizing=values[SIZING],
    )
    return changed(plain, values)


def changed(strategy: Strategy, values: Values) -> Strategy:
    """The strategy with what a request gives."""
    given: dict[str, Any] = {parameter.name: values[parameter] for parameter in PLAIN if parameter in values}
    if MAX_AGE in values:
        given["max_age"] = values[MAX_AGE] * 1000
    if LINK_WAIT in values:
        given["link_wait"] = values[LINK_WAIT] * 1000
    if values[ACCOUNT]:
        given["account"] = values[ACCOUNT]
    return replace(strategy, **given)
