"""Reads the parameters of BingX's interface; refusals are BingX's own. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from backend.clock import LATEST, parse_time
from backend.core.interval import INTERVALS, Interval
from backend.core.selection import Selection
from backend.core.shifted_interval import shifted
from backend.core.windows import HOUR, Window
from backend.web.venues.venue_handler import Asked, Query, VenueRefusal, first, natural
from backend.web.venues.venue_parameters import (
    END,
    END_DATE,
    INTERVAL,
    LIMIT,
    START,
    START_DATE,
    SYMBOL,
    ZONE,
    VenueParameter,
)

CANDLE_PARAMETERS = (SYMBOL, INTERVAL, START, END, LIMIT, ZONE)

DATED_PARAMETERS = (SYMBOL, INTERVAL, LIMIT, START_DATE, END_DATE)

DEFAULT_LIMIT = 500
QUOTES = ("USDT", "USDC")

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

Refuse = Callable[[int, str], VenueRefusal]
"""A refusal in the envelope of the family, from its code and text."""

Bad = Callable[[VenueParameter, str], VenueRefusal]
"""A refusal of one parameter, from what it must be."""


def candles(query: Query, rules: Rules, refuse: Refuse) -> Asked:
    """What a request for candles asks for."""

    def bad(parameter: VenueParameter, text: str) -> VenueRefusal:
        return refuse(rules.bad_parameter, f"Invalid parameters, err:{parameter.name}: {text}")

    symbol, name = first(query, SYMBOL), first(query, INTERVAL)
    if "-" not in symbol:
        raise bad(SYMBOL, "This field must end with -USDT or -USDC.")
    if name not in INTERVALS:
        raise bad(INTERVAL, f"This field must be one of {' '.join(INTERVALS)}.")
    interval = _on_clock(INTERVALS[name], first(query, ZONE), rules, bad)
    limit = _number(query, LIMIT, bad)
    if limit == 0:
        raise bad(LIMIT, "This field must be greater than or equal to 1.")
    window = _window(_number(query, START, bad), _number(query, END, bad), rules)
    limit = min(limit or DEFAULT_LIMIT, rules.largest_limit)
    return Asked(symbol, Selection(window, interval, limit, newest=True))


def dated(query: Query, refuse: Refuse) -> Query:
    """A request whose times are dates, and whose symbol may lack its hyphen, as BingX would get it."""

    def time_of(parameter: VenueParameter) -> list[str]:
        try:
            return [str(max(parse_time(first(query, parameter)), 0))]
        except ValueError as error:
            raise refuse(SWAP.bad_parameter, f"Invalid parameters, err:{parameter.name}: {error}") from None

    symbol = first(query, SYMBOL).upper()
    quote = next((one for one in QUOTES if symbol.endswith(one) and symbol != one), None)
    if "-" not in symbol and quote is not None:
        symbol = f"{symbol.removesuffix(quote)}-{quote}"
    given = {SYMBOL.name: [symbol]}
    given |= {name: query[name] for name in (INTERVAL.name, LIMIT.name) if name in query}
    for ours, theirs in ((START_DATE, START), (END_DATE, END)):
        if first(query, ours):
            given[theirs.name] = time_of(ours)
    return given


def _window(start: int | None, end: int | None, rules: Rules) -> Window:
    first_open = 0 if start is None else min(start, LATEST) + rules.after_start
    last_open = LATEST + 1 if end is None else min(end, LATEST)
    return Window(first_open, max(first_open, last_open))


def _on_clock(interval: Interval, hours: str, rules: Rules, bad: Bad) -> Interval:
    if hours and not (_HOURS.fullmatch(hours) and -12 <= int(hours) <= 14):
        raise bad(ZONE, "This field must be a number of hours from -12 to 14.")
    return shifted(interval, int(hours or rules.hours) * HOUR)


def _number(query: Query, parameter: VenueParameter, bad: Bad) -> int | None:
    text = first(query, parameter)
    if not text:
        return None
    number = natural(text)
    if number is None:
        raise bad(parameter, "This field must be a whole number that is not negative.")
    return number
