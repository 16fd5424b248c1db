"""What a person must know. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Topic(StrEnum):
    """What a notice is about."""

    ORDER_REFUSED = "order_refused"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_LOST = "order_never_arrived"
    KILL_SWITCH = "kill_switch"
    TWAP_FAILED = "twap_failed"
    TRIGGER_FAILED = "trigger_failed"
    ALARM_FAILED = "alarm_failed"
    ALARM_REFUSED = "alarm_refused"
    ACCOUNT_TROUBLE = "account_trouble"
    RISK_LIMIT = "risk_limit"
    FOLLOW_BEHIND = "follow_behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`about` is what tells it from others of its topic: an order, an account. `count` is how often it
    happened since it was told last, `left` the targets that do not have it yet. Moments are in ms."""

    id: str
    topic: Topic
    about: str
    said: str
    time: int
    left: tuple[str, ...]
    count: int = 1
    tries: int = 0
    due: int = 0
