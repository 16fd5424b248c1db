"""From the parameters of BingX's interface to what is wanted, refused as BingX refuses. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from backend.clock import LATEST
from backend.core.interval import INTERVALS, Interval
from backend.core.selection import Selection
from backend.core.shifted_interval import shifted
from backend.core.windows import HOUR, Window
from backend.web.venues.venue_handler import Asked, Query, Refusal, first, natural

DEFAULT_LIMIT = 500

_HOURS = re.compile(r"[+-]?[0-9]{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rules:
    """In what spot and swap differ.

    `hours` is the clock by which long candles open, in hours ahead of UTC, where `timeZone` does not say it.
    `after_start` leaves out the candle that opens at `startTime`.
    """

    bad_parameter: int
    hours: int
    after_start: bool
    largest_limit: int = 1440


SWAP = Rules(bad_parameter=109400, hours=0, after_start=False)
SPOT = Rules(bad_parameter=100400, hours=8, after_start=True)
"""Whether spot's answers have the candle at `endTime` is not known. Here it is left out, as on swap: in a
window of as many candles as the limit it would push out the oldest."""

OLD_SPOT = Rules(bad_parameter=100400, hours=8, after_start=True, largest_limit=500)

Refuse = Callable[[int, str], Refusal]
"""A refusal in the envelope of the family, from its code and text."""


def candles(query: Query, rules: Rules, refuse: Refuse) -> Asked:
    """What a request for candles asks for."""

    def bad(name: str, text: str) -> Refusal:
        return refuse(rules.bad_parameter, f"Invalid parameters, err:{name}: {text}")

    symbol, name = first(query, "symbol"), first(query, "interval")
    if "-" not in symbol:
        raise bad("symbol", "This field must end with -USDT or -USDC.")
    if name not in INTERVALS:
        raise bad("interval", f"This field must be one of {' '.join(INTERVALS)}.")
    interval = _on_clock(INTERVALS[name], first(query, "timeZone"), rules, bad)
    limit = _number(query, "limit", bad)
    if limit == 0:
        raise bad("limit", "This field must be greater than or equal to 1.")
    window = _window(_number(query, "startTime", bad), _number(query, "endTime", bad), rules)
    limit = min(limit or DEFAULT_LIMIT, rules.largest_limit)
    return Asked(symbol, Selection(window, interval, limit, newest=True))


def _window(start: int | None, end: int | None, rules: Rules) -> Window:
    first_open = 0 if start is None else min(start, LATEST) + rules.after_start
    last_open = LATEST + 1 if end is None else min(end, LATEST)
    return Window(first_open, max(first_open, last_open))


def _on_clock(interval: Interval, hours: str, rules: Rules, bad: Callable[[str, str], Refusal]) -> Interval:
    if hours and not (_HOURS.fullmatch(hours) and -12 <= int(hours) <= 14):
        raise bad("timeZone", "This field must be a number of hours from -12 to 14.")
    return shifted(interval, int(hours or rules.hours) * HOUR)


def _number(query: Query, name: str, bad: Callable[[str, str], Refusal]) -> int | None:
    text = first(query, name)
    if not text:
        return None
    number = natural(text)
    if number is None:
        raise bad(name, "This field must be a whole number that is not negative.")
    return number
