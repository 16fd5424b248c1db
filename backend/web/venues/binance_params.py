"""Reads the parameters of Binance's interface; refusals are Binance's own. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from backend.clock import LATEST
from backend.core.interval import INTERVALS, Interval
from backend.core.selection import Selection
from backend.core.shifted_interval import shifted
from backend.core.windows import HOUR, MINUTE, Window
from backend.web.venues.venue_handler import Asked, Query, VenueRefusal

DEFAULT_LIMIT = 500
FIRST_MICROSECOND = 100_000_000_000_000
"""Spot takes times in microseconds too: as milliseconds this would be the year 5138."""

KINDS = ("FULL", "MINI")
STATUSES = ("TRADING", "HALT", "BREAK", "CANCEL_ONLY")
EARLIEST_CLOCK, LATEST_CLOCK = -12 * HOUR, 14 * HOUR

_SYMBOL = re.compile(r"[\w\-.]{1,50}")
_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_CLOCK = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-9]{2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rules:
    """In what the two interfaces differ.

    `subject` is the name of the parameter with the symbol of candles. `strict` refuses unknown names,
    `clamps` replaces a limit that is too large by the largest one, `microseconds` accepts times in
    microseconds, `ordered` refuses a start after the end.
    """

    known: Collection[str]
    listing: Collection[str]
    tickers: Collection[str]
    largest_limit: int
    subject: str = "symbol"
    strict: bool = False
    clamps: bool = False
    microseconds: bool = False
    ordered: bool = False


SPOT = Rules(
    known=("symbol", "interval", "startTime", "endTime", "timeZone", "limit"),
    tickers=("symbol", "symbols", "type"),
    listing=("symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"),
    largest_limit=1000,
    strict=True,
    clamps=True,
    microseconds=True,
)
FUTURES = Rules(
    known=("symbol", "interval", "startTime", "endTime", "limit"),
    tickers=("symbol",),
    listing=(),
    largest_limit=1500,
    ordered=True,
)
INDEX = replace(FUTURES, known=("pair", "interval", "startTime", "endTime", "limit"), subject="pair")
"""Of index prices, which are of a pair."""


def refusal(number: int, message: str) -> VenueRefusal:
    return VenueRefusal({"code": number, "msg": message})


def klines(query: Query, rules: Rules) -> Asked:
    """What `klines` asks for."""
    _check_names(query, rules.known, rules.strict)
    symbol = _symbol(_needed(query, rules.subject))
    interval = _interval(_needed(query, "interval"))
    if "timeZone" in query and "timeZone" in rules.known:
        interval = shifted(interval, _clock(query["timeZone"][0]))
    start, end = _moment(query, "startTime", rules, up=True), _moment(query, "endTime", rules, up=False)
    if rules.ordered and start is not None and end is not None and start > end:
        raise refusal(-1023, "Start time is greater than end time.")
    window = Window(start or 0, LATEST + 1 if end is None else end + 1)
    return Asked(symbol, Selection(window, interval, _limit(query, rules), newest=start is None))


def named_symbols(query: Query, known: Collection[str], *, strict: bool) -> list[str] | None:
    """What `symbol` or `symbols` names, None where neither is given."""
    _check_names(query, known, strict)
    if "symbol" in query and "symbols" in query and "symbols" in known:
        raise refusal(-1128, "Combination of optional parameters invalid.")
    if "symbol" in query:
        return [_symbol(query["symbol"][0])]
    if "symbols" in query and "symbols" in known:
        return _symbols(query["symbols"][0])
    return None


class Listed(NamedTuple):
    """What `exchangeInfo` is asked for, None for all: symbols, or a state of theirs."""

    symbols: list[str] | None = None
    status: str | None = None


def listing(query: Query, rules: Rules) -> Listed:
    """What `exchangeInfo` is asked for."""
    symbols = named_symbols(query, rules.listing, strict=rules.strict)
    if "symbolStatus" not in query or "symbolStatus" not in rules.listing:
        return Listed(symbols)
    if symbols is not None:
        raise refusal(-1128, "Combination of optional parameters invalid.")
    status = query["symbolStatus"][0]
    if status not in STATUSES:
        raise refusal(-1122, "Invalid symbolStatus.")
    return Listed(status=status)


def short(query: Query) -> bool:
    """Whether a ticker's short form is wanted."""
    kind = query.get("type", ["FULL"])[0]
    if kind not in KINDS:
        raise refusal(-1139, "Invalid ticker type.")
    return kind == "MINI"


def _symbols(text: str) -> list[str]:
    try:
        return [_symbol(each) for each in msgspec.json.decode(text, type=list[str])]
    except msgspec.DecodeError as error:
        raise _illegal("symbols", r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$') from error


def _check_names(query: Query, known: Collection[str], strict: bool) -> None:
    if any(len(values) > 1 for values in query.values()):
        raise refusal(-1101, "Duplicate values for a parameter detected.")
    read = [name for name in query if name in known]
    if strict and len(read) < len(query):
        counts = f"read '{len(read)}' parameter(s) but was sent '{len(query)}'."
        raise refusal(-1104, f"Not all sent parameters were read; {counts}")
    for name in read:
        if not query[name][0]:
            raise refusal(-1105, f"Parameter '{name}' was empty.")


def _needed(query: Query, name: str) -> str:
    if name not in query:
        raise _malformed(name)
    return query[name][0]


def _symbol(text: str) -> str:
    if not _SYMBOL.fullmatch(text) or text != text.upper():
        raise _illegal("symbol", r"^[\w\-._&&[^a-z]]{1,50}$")
    return text


def _interval(text: str) -> Interval:
    if text not in INTERVALS:
        raise refusal(-1120, "Invalid interval.")
    return INTERVALS[text]


def _clock(text: str) -> int:
    """How many ms a time zone is ahead of UTC: "8", "-1:00", "05:45"."""
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[3] or 0) > 59:
        raise _malformed("timeZone")
    offset = (int(match[2]) * HOUR + int(match[3] or 0) * MINUTE) * (-1 if match[1] == "-" else 1)
    if not EARLIEST_CLOCK <= offset <= LATEST_CLOCK:
        raise _malformed("timeZone")
    return offset


def _moment(query: Query, name: str, rules: Rules, *, up: bool) -> int | None:
    """A time in ms; microseconds, which only spot takes, become the next whole ms `up` or down."""
    if name not in query:
        return None
    moment = _number(query, name)
    if moment >= FIRST_MICROSECOND and rules.microseconds:
        moment = -(-moment // 1000) if up else moment // 1000
    return min(moment, LATEST)


def _limit(query: Query, rules: Rules) -> int:
    if "limit" not in query:
        return DEFAULT_LIMIT
    limit = _number(query, "limit")
    if limit == 0 and rules.clamps:
        raise _malformed("limit")
    if not 0 < limit <= rules.largest_limit and not rules.clamps:
        raise refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(limit, rules.largest_limit)


def _number(query: Query, name: str) -> int:
    if not _NUMBER.fullmatch(query[name][0]):
        raise _illegal(name, "^[0-9]{1,20}$")
    return int(query[name][0])


def _malformed(name: str) -> VenueRefusal:
    return refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def _illegal(name: str, pattern: str) -> VenueRefusal:
    return refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")
