"""From request text to values: pure, and strict about what it does not understand."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from backend.clock import LATEST, parse_time
from backend.core.job import OVER, Status
from backend.core.plan import whole_minutes
from backend.core.windows import Window
from backend.errors import InvalidRequest

MOST_SYMBOLS = 500
LONGEST_WAIT = 86_400
PATIENT_SECONDS = 50.0
"""How long `"wait": true` waits: proxies commonly cut a request at 60 s that has not been answered."""
STATUSES: tuple[Status, ...] = ("queued", "running", *OVER)


class TimeRange(NamedTuple):
    """Bounds on open times in ms, both inclusive; None where the request leaves them open."""

    start: int | None
    end: int | None

    def window(self) -> Window:
        """The whole minutes inside, open ends running to the ends of time."""
        return whole_minutes(self.start or 0, LATEST if self.end is None else self.end)


def json_object(body: bytes) -> dict[str, object]:
    """The body as a JSON object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not JSON: {error}", code="invalid_json") from error
    if not isinstance(value, dict):
        raise InvalidRequest(
            'the body must be a JSON object, such as {"symbol":"BTCUSDT"}', code="invalid_json"
        )
    return value


def only_known(names: Collection[str], known: Collection[str]) -> None:
    """Refuse parameters that nobody reads: they are misspelt more often than not."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        shown = ", ".join(reprlib.repr(name) for name in unknown[:5])
        raise InvalidRequest(
            f"unknown parameter {shown}: known are {', '.join(known)}", code="unknown_parameter"
        )


def text(values: Mapping[str, object], name: str, default: str | None = None) -> str:
    """A text parameter that is there, or has a default, and is not empty."""
    value = values.get(name, default)
    if value is None or value == "":
        raise InvalidRequest(f"{name} is missing", code=f"missing_{name}")
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text", code=f"invalid_{name}")
    return value


def time_range(values: Mapping[str, object]) -> TimeRange:
    """`start_time` and `end_time`, each Unix ms or ISO-8601."""
    found = TimeRange(_moment(values, "start_time"), _moment(values, "end_time"))
    if found.start is not None and found.end is not None and found.start > found.end:
        raise InvalidRequest("start_time is after end_time", code="invalid_time_range")
    return found


def some_window(values: Mapping[str, object]) -> Window | None:
    """The whole minutes of `time_range`, None where neither bound is given."""
    found = time_range(values)
    if found == (None, None):
        return None
    if not found.window().minutes:
        raise InvalidRequest("no minute opens from start_time to end_time", code="invalid_time_range")
    return found.window()


def since(values: Mapping[str, object]) -> int | None:
    """`since`, an open time: the first whole minute at or after it, None where it is not given."""
    moment = _moment(values, "since")
    return None if moment is None else whole_minutes(moment, moment).start


def flag(values: Mapping[str, object], name: str) -> bool:
    """A JSON true or false; false when it is not there."""
    value = values.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false", code=f"invalid_{name}")
    return value


def switch(values: Mapping[str, object], name: str) -> bool:
    """A query parameter that is "true" or "false"; false when it is not there."""
    value = values.get(name, "false")
    if value not in ("true", "false"):
        raise InvalidRequest(f"{name} must be true or false", code=f"invalid_{name}")
    return value == "true"


def symbols(values: Mapping[str, object]) -> list[str]:
    """`symbols`, a list of 1 to MOST_SYMBOLS texts."""
    found = values.get("symbols")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_SYMBOLS:
        raise InvalidRequest(f"symbols must be a list of 1 to {MOST_SYMBOLS}", code="invalid_symbols")
    return [text({"symbol": symbol}, "symbol") for symbol in found]


def patience(values: Mapping[str, object]) -> float:
    """`wait` in seconds: true is for as long as proxies commonly are patient, false is not at all."""
    value = values.get("wait", True)
    if isinstance(value, bool):
        return PATIENT_SECONDS if value else 0.0
    if not isinstance(value, int | float) or not 0 <= value <= LONGEST_WAIT:
        raise InvalidRequest(
            f"wait must be true, false or seconds from 0 to {LONGEST_WAIT}", code="invalid_wait"
        )
    return float(value)


def status(values: Mapping[str, object]) -> Status | None:
    """`status` of a job, None for any."""
    value = values.get("status")
    if value is None:
        return None
    for known in STATUSES:
        if value == known:
            return known
    raise InvalidRequest(f"status must be one of {', '.join(STATUSES)}", code="invalid_status")


def limit(values: Mapping[str, object], highest: int = 999_999_999) -> int | None:
    """`limit`, a whole number from 1 to `highest`; None for no limit."""
    return whole(values, "limit", highest)


def whole(values: Mapping[str, object], name: str, highest: int = 999_999_999) -> int | None:
    """A whole number from 1 to `highest`; None where it is not given."""
    value = values.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,9}", str(value), re.ASCII) or not 0 < int(str(value)) <= highest:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {highest}", code=f"invalid_{name}")
    return int(str(value))


def _moment(values: Mapping[str, object], name: str) -> int | None:
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidRequest(f"{name} must be Unix milliseconds or ISO-8601", code="invalid_time")
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise InvalidRequest(f"{name}: {error}", code="invalid_time") from error
