"""Reads the text of an alarm. Fields and placeholders: https://www.tradingview.com/support/solutions/43000531021

The sender fills in its placeholders as text: numbers may come as JSON numbers or as text, and a placeholder
that it does not know stays as it is. So every value is taken by its text, and what is wrong is named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from backend.clock import parse_time
from backend.trading.money import exact
from backend.trading.rows import Side

LONGEST_TEXT = 200
TOKEN = "token"
Where = Literal["long", "flat", "short"]

NAMES: Mapping[str, str] = {
    "contracts": "quantity",
    "size": "quantity",
    "price": "entry_price",
    "order_id": "order",
    "side": "action",
    "market_position": "position",
    "market_position_size": "position_size",
    "prev_market_position": "prev_position",
    "prev_market_position_size": "prev_position_size",
    "alarm_time": "fired_at",
    "timenow": "fired_at",
    "time": "bar_time",
    "symbol": "ticker",
    "alert_id": "id",
}
"""Other names of fields that senders use."""

NOTHING = frozenset(("", "nan", "null", "none", "na", "n/a"))
"""Texts that stand where the sender has no number."""


class InvalidAlarm(ValueError):
    """The text is no alarm. The message is a sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What an alarm says; None, or "", where it says nothing. Moments are in ms UTC.

    `before` and `after` are the sizes of the position in the sender's own units, below zero for a short one.
    `id` is the sender's own name of this alarm.
    """

    ticker: str
    exchange: str = ""
    interval: str = ""
    action: Side | None = None
    quantity: Decimal | None = None
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None
    before: Decimal | None = None
    after: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    order: str = ""
    bar_time: int | None = None
    fired_at: int | None = None
    id: str = ""

    @property
    def is_named(self) -> bool:
        """Whether a second alarm of the same text is the same one, whenever it comes."""
        return bool(self.id) or self.fired_at is not None

    def values(self) -> Mapping[str, Decimal | None]:
        """Its numbers, for conditions."""
        return {
            "quantity": self.quantity,
            "entry_price": self.entry_price,
            "exit_price": self.exit_price,
            "position_before": self.before,
            "position_after": self.after,
            "take_profit": self.take_profit,
            "stop_loss": self.stop_loss,
        }


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of an alarm as text, by their usual names. Raises InvalidAlarm."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidAlarm("the alarm is not UTF-8 text") from None
    try:
        said = json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidAlarm):
            raise
        hint = " It has a placeholder that was not filled in." if "{{" in text else ""
        raise InvalidAlarm(f"the alarm is not JSON.{hint}") from None
    if not isinstance(said, dict):
        raise InvalidAlarm("the alarm is not a JSON object")
    fields: dict[str, str] = {}
    for name, value in said.items():
        if value is None:
            continue
        if not isinstance(value, str | bool) or len(str(value)) > LONGEST_TEXT:
            raise InvalidAlarm(
                f"{_shown(name)} must be a text or a number of up to {LONGEST_TEXT} characters"
            )
        fields.setdefault(NAMES.get(name, name), str(value))
    return fields


def without_token(fields: Mapping[str, str]) -> str:
    """The fields as they are kept."""
    return json.dumps({name: value for name, value in fields.items() if name != TOKEN}, sort_keys=True)


def digest_of(strategy: str, fields: Mapping[str, str]) -> str:
    """What tells two alarms of a strategy apart."""
    return sha256(f"{strategy}\n{without_token(fields)}".encode()).hexdigest()[:32]


def read_signal(fields: Mapping[str, str]) -> Signal:
    """What the fields say. Raises InvalidAlarm."""
    for name, value in fields.items():
        if name != TOKEN and "{{" in value and "}}" in value:
            raise InvalidAlarm(
                f"{_shown(name)} is {_shown(value)}: the sender did not fill this placeholder in"
            )
    if not (ticker := fields.get("ticker", "").strip()):
        raise InvalidAlarm("ticker is missing")
    action = fields.get("action", "").strip().lower()
    if action not in ("", "buy", "sell"):
        raise InvalidAlarm(f"action must be buy or sell, not {_shown(action)}")
    sides: Mapping[str, Side | None] = {"buy": "buy", "sell": "sell", "": None}
    signal = Signal(
        ticker=ticker,
        exchange=fields.get("exchange", ""),
        interval=fields.get("interval", ""),
        action=sides[action],
        quantity=_positive(fields, "quantity"),
        entry_price=_positive(fields, "entry_price"),
        exit_price=_positive(fields, "exit_price"),
        before=_position(fields, "prev_position", "prev_position_size"),
        after=_position(fields, "position", "position_size"),
        take_profit=_positive(fields, "take_profit"),
        stop_loss=_positive(fields, "stop_loss"),
        order=fields.get("order", ""),
        bar_time=_time(fields, "bar_time"),
        fired_at=_time(fields, "fired_at"),
        id=fields.get("id", ""),
    )
    if signal.action is None and signal.after is None:
        raise InvalidAlarm("the alarm says neither an action (buy, sell) nor a position (long, flat, short)")
    return signal


def _refuse_constant(name: str) -> object:
    raise InvalidAlarm(f"a value is {name}: the chart had no number there")


def _number(fields: Mapping[str, str], name: str) -> Decimal | None:
    if (text := fields.get(name)) is None:
        return None
    if text.strip().lower() in NOTHING:
        raise InvalidAlarm(f"{name} is {_shown(text)}: the chart had no number there")
    try:
        return Decimal(exact(text.strip()))
    except ValueError:
        raise InvalidAlarm(f"{name} must be a number, not {_shown(text)}") from None


def _positive(fields: Mapping[str, str], name: str) -> Decimal | None:
    number = _number(fields, name)
    if number is not None and number < 0:
        raise InvalidAlarm(f"{name} must not be below zero")
    return number


def _position(fields: Mapping[str, str], word: str, size: str) -> Decimal | None:
    """A position with its sign: that of the word, if there is one."""
    number, where = _number(fields, size), fields.get(word, "").strip().lower()
    if where not in ("", "long", "flat", "short"):
        raise InvalidAlarm(f"{word} must be long, flat or short, not {_shown(where)}")
    if where == "flat":
        return Decimal(0)
    if not where:
        return number
    magnitude = Decimal(1) if number is None else abs(number)
    return -magnitude if where == "short" else magnitude


def _time(fields: Mapping[str, str], name: str) -> int | None:
    if not (text := fields.get(name, "").strip()):
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidAlarm(
            f"{name} must be a time such as 2026-01-01T00:00:00Z, not {_shown(text)}"
        ) from None


def _shown(text: str) -> str:
    return repr(text[:50])
