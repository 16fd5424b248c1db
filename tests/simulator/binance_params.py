"""Check the parameters of Binance spot requests, in the order and with the codes of Binance.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api and .../errors. The order of the
checks is: names (-1104, -1101), presence (-1102), emptiness (-1105), symbol (-1100, -1121), interval
(-1120), limit (-1102), times (-1100), time zone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tests.simulator.intervals import GRIDS, Grid
from tests.simulator.times import HOUR, MICROSECONDS, MINUTE

SYMBOL_RANGE = r"^[\w\-._&&[^a-z]]{1,50}$"
"""The range as Binance prints it, a Java expression; `SYMBOL` is the same in Python."""
SYMBOL = re.compile(r"(?:[^\Wa-z]|[\-.]){1,50}")

TIME_RANGE = "^[0-9]{1,20}$"
TIME = re.compile(r"[0-9]{1,20}")

ZONE = re.compile(r"(?P<sign>[-+]?)(?P<hours>\d{1,2})(?::(?P<minutes>[0-5]\d))?", re.ASCII)


class Rejected(Exception):
    """A request that Binance answers with HTTP 400 and an error object of this code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def named(params: Sequence[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name; reject unknown names and repeats."""
    read = [name for name, _ in params if name in known]
    if len(read) < len(params):
        raise Rejected(
            -1104,
            f"Not all sent parameters were read; read '{len(read)}' parameter(s) "
            f"but was sent '{len(params)}'.",
        )
    if len(set(read)) < len(read):
        raise Rejected(-1101, "Duplicate values for a parameter detected.")
    return dict(params)


def require(params: dict[str, str], *names: str) -> None:
    """Reject a request that lacks one of the names, or sends any parameter empty."""
    for name in names:
        if name not in params:
            raise missing(name)
    for name, value in params.items():
        if not value:
            raise Rejected(-1105, f"Parameter '{name}' was empty.")


def missing(name: str) -> Rejected:
    """Return the rejection of a parameter that is absent or malformed."""
    return Rejected(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> Rejected:
    """Return the rejection of a parameter with characters outside its legal range."""
    return Rejected(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def symbol_of(text: str) -> str:
    """Return a well-formed symbol."""
    if not SYMBOL.fullmatch(text):
        raise illegal("symbol", SYMBOL_RANGE)
    return text


def grid_of(interval: str) -> Grid:
    """Return the grid of an interval. `1s` is refused too: the simulator has nothing below a minute."""
    grid = GRIDS.get(interval)
    if grid is None:
        raise Rejected(-1120, "Invalid interval.")
    return grid


def limit_of(text: str, maximum: int) -> int:
    """Return the page size; larger ones are cut silently to the maximum, 0 is refused as malformed."""
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) == 0:
        raise missing("limit")
    return min(int(text), maximum)


def time_of(params: dict[str, str], name: str, default: int) -> int:
    """Return a time in ms UTC that was sent in ms or µs; a start in µs is rounded up and an end down."""
    text = params.get(name)
    if text is None:
        return default
    if not TIME.fullmatch(text):
        raise illegal(name, TIME_RANGE)
    stamp = int(text)
    if stamp < MICROSECONDS:
        return stamp
    return -(-stamp // 1000) if name == "startTime" else stamp // 1000


def zone_of(text: str) -> int:
    """Return the offset of a `timeZone` such as `8`, `-1:00` or `05:45` in ms east of UTC.

    The limits are -12:00 and +14:00. What Binance answers beyond them is not documented; -1130 stands in
    for it.
    """
    match = ZONE.fullmatch(text)
    if match:
        size = int(match["hours"]) * HOUR + int(match["minutes"] or 0) * MINUTE
        offset = -size if match["sign"] == "-" else size
        if -12 * HOUR <= offset <= 14 * HOUR:
            return offset
    raise Rejected(-1130, "Data sent for parameter 'timeZone' is not valid.")


def microseconds(unit: str | None) -> bool:
    """Whether a `X-MBX-TIME-UNIT` header asks for µs in the answer."""
    known = {None: False, "MILLISECOND": False, "MICROSECOND": True}
    name = None if unit is None else unit.upper()
    if name not in known:
        raise Rejected(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return known[name]
