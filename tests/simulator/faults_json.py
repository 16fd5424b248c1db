"""Faults as JSON, for the control routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from tests.simulator.archive_faults import ArchiveFaults
from tests.simulator.bingx_rules import BingxRules
from tests.simulator.bitget_rules import BitgetRules
from tests.simulator.extended_rules import ExtendedRules
from tests.simulator.faults import Faults, Forced
from tests.simulator.private.faults import parsed as parsed_private
from tests.simulator.private.faults import printable as printable_private
from tests.simulator.quirks import Quirks
from tests.simulator.rows import Row
from tests.simulator.sockets.faults_json import parsed, printable
from tests.simulator.times import Window, checked_window, parse_instant, parse_window

RATES = (
    "error_rate",
    "reset_rate",
    "hang_rate",
    "garbage_rate",
    "unordered_rate",
    "duplicate_rate",
    "outside_rate",
)
SECONDS = ("latency", "jitter")
RULES: dict[str, Callable[..., Any]] = {
    "bitget": BitgetRules,
    "bingx": BingxRules,
    "extended": ExtendedRules,
}
"""Quirks that hold an exchange's rules; their fields come as a JSON object."""


def shown(faults: Faults) -> dict[str, Any]:
    """Return the switches as JSON values; windows and instants in ms UTC, `hanging` is a count."""
    plain = ("page_cap", "error_statuses", "garbage_kinds", "hang_seconds", "failing", "outages")
    forced = faults.forced
    return {
        **{
            name: getattr(faults, name)
            for name in (*SECONDS, *RATES, *plain, "unlisted", "refused", "hanging")
        },
        "revisions": [
            {"symbol": symbol, "open_time": open_time, "values": dict(values)}
            for (symbol, open_time), values in faults.revisions.items()
        ],
        "archive": asdict(faults.archive),
        "sockets": printable(faults.sockets),
        "private": printable_private(faults.private),
        "quirks": asdict(faults.quirks),
        "forced": forced
        and {name: getattr(forced, name) for name in ("status", "count", "retry_after", "body")},
    }


def changed(faults: Faults, changes: Mapping[str, Any]) -> None:
    """Set the switches that are named; raise ValueError and change nothing when one is unknown or wrong."""
    unknown = set(changes) - set(PARSERS)
    if unknown:
        raise ValueError(f"unknown faults {sorted(unknown)}; known are {sorted(PARSERS)}")
    values = {name: PARSERS[name](value) for name, value in changes.items()}
    for name, value in values.items():
        if name == "seed":
            faults.reseed(value)
        else:
            setattr(faults, name, value)


def _rate(value: Any) -> float:
    if not 0 <= float(value) <= 1:
        raise ValueError(f"a rate is between 0 and 1, got {value!r}")
    return float(value)


def _seconds(value: Any) -> float:
    if float(value) < 0:
        raise ValueError(f"seconds are not negative, got {value!r}")
    return float(value)


def _count(value: Any) -> int:
    if int(value) < 1:
        raise ValueError(f"a page holds at least one row, got {value!r}")
    return int(value)


def _optional(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else parse(value)


def _windows(value: list[Any]) -> list[Window]:
    return [_window(item) for item in value]


def _window(value: Any) -> Window:
    if isinstance(value, str):
        return parse_window(value)
    start, end = value
    return checked_window(parse_instant(start), parse_instant(end))


def _revisions(value: list[Mapping[str, Any]]) -> dict[tuple[str, int], Mapping[str, str | int]]:
    return {(item["symbol"], parse_instant(item["open_time"])): _fields(item["values"]) for item in value}


def _fields(values: Mapping[str, Any]) -> dict[str, str | int]:
    unknown = set(values) - set(Row._fields[1:])
    if unknown:
        raise ValueError(f"unknown candle fields {sorted(unknown)}")
    return {name: int(value) if name == "trades" else str(value) for name, value in values.items()}


def _quirks(value: Mapping[str, Any]) -> Quirks:
    """Return the quirks that are named, the others as they are by default: booleans, or an exchange's
    rules."""
    rules = {name: RULES[name](**value[name]) for name in RULES if name in value}
    plain = {name: switch for name, switch in value.items() if name not in RULES}
    unknown = set(value) - {field.name for field in fields(Quirks)}
    if unknown or not all(isinstance(switch, bool) for switch in plain.values()):
        raise ValueError(f"quirks are booleans named {[field.name for field in fields(Quirks)]}")
    return Quirks(**plain, **rules)


def _archive(value: Mapping[str, Any]) -> ArchiveFaults:
    left_out = _windows(value.get("left_out", []))
    return ArchiveFaults(**{**value, "left_out": left_out})


def _forced(value: Mapping[str, Any]) -> Forced:
    return Forced(**value)


PARSERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(RATES, _rate),
    **dict.fromkeys(SECONDS, _seconds),
    "page_cap": _optional(_count),
    "hang_seconds": _optional(_seconds),
    "error_statuses": lambda value: [int(status) for status in value],
    "garbage_kinds": lambda value: [str(kind) for kind in value],
    "unlisted": lambda value: [str(symbol) for symbol in value],
    "refused": lambda value: [str(symbol) for symbol in value],
    "failing": _windows,
    "outages": _windows,
    "revisions": _revisions,
    "archive": _archive,
    "sockets": parsed,
    "private": parsed_private,
    "quirks": _quirks,
    "forced": _optional(_forced),
    "seed": int,
}
