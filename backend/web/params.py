"""From request text to values: pure, and strict about what it does not understand."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from backend.clock import LATEST, parse_time
from backend.core.coverage import Window
from backend.core.plan import whole_minutes
from backend.errors import InvalidRequest


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


def limit(values: Mapping[str, object]) -> int | None:
    """`limit`, a positive whole number; None for no limit."""
    return whole(values, "limit")


def whole(values: Mapping[str, object], name: str) -> int | None:
    """A positive whole number; None where it is not given."""
    value = values.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,9}", str(value), re.ASCII) or not int(str(value)):
        raise InvalidRequest(f"{name} must be a whole number from 1 to 999999999", code=f"invalid_{name}")
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
