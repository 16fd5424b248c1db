"""What a reader of candles asked for, and how it is to be written."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from backend.core.interval import ONE_MINUTE, Interval, parse_interval
from backend.core.selection import Selection
from backend.core.windows import Window
from backend.errors import InvalidRequest
from backend.formats.format import Format
from backend.formats.layout import FIELDS, TIMES, Layout, layout_for

ORDERS = {"asc": False, "desc": True}
FILLS = {"previous": "previous"}

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class ReaderRequest:
    """`descending` wants the newest candle first. `page` is the limit that somebody set, None for none: one
    more candle than that is wanted where the answer says where the next page begins."""

    wanted: Selection
    descending: bool
    page: int | None
    format: Format
    layout: Layout


def reader_request(
    window: Window,
    chosen: Format,
    texts: Mapping[str, object],
    *,
    limit: int | None,
    last: int | None,
    forming: bool,
) -> ReaderRequest:
    """From what is read already, and the parameters interval, order, fill, fields and time as `texts`.

    Raises InvalidRequest.
    """
    interval = interval_of(texts)
    descending = one_of(ORDERS, "order", texts, default=False)
    fills = one_of(FILLS, "fill", texts, default=None) is not None
    peek = 1 if chosen.tells_next else 0
    wanted = Selection(
        window,
        interval,
        limit=last if limit is None else limit + peek,
        newest=descending or last is not None,
        forming=forming,
        fill="previous" if fills else None,
    )
    layout = layout_for(interval, fills=fills, stamped=chosen.stamped)
    layout = replace(layout, time=one_of({unit: unit for unit in TIMES}, "time", texts, default="ms"))
    return ReaderRequest(wanted, descending, limit, chosen, _with_fields(layout, texts))


def refuse_contradictions(given: Mapping[str, object]) -> None:
    """`last` counts from the end, so that a beginning and a limit say something else."""
    for other in ("start_time", "limit"):
        if "last" in given and other in given:
            raise InvalidRequest(
                f"last and {other} contradict each other: give last, perhaps with end_time, "
                "or start_time, end_time and limit",
                code="contradictory_parameters",
            )


def interval_of(values: Mapping[str, object]) -> Interval:
    """`interval`, the minute where it is not given."""
    if "interval" not in values:
        return ONE_MINUTE
    try:
        return parse_interval(str(values["interval"]))
    except ValueError as error:
        raise InvalidRequest(str(error), code="unknown_interval") from error


def one_of(
    choices: Mapping[str, Choice], name: str, values: Mapping[str, object], *, default: Choice
) -> Choice:
    """The choice that a parameter names."""
    if name not in values:
        return default
    chosen = str(values[name])
    if chosen not in choices:
        raise InvalidRequest(
            f"unknown {name} {reprlib.repr(chosen)}: give one of {', '.join(choices)}",
            code=f"unknown_{name}",
        )
    return choices[chosen]


def _with_fields(layout: Layout, values: Mapping[str, object]) -> Layout:
    """The layout with the columns that `fields` names, in that order."""
    if "fields" not in values:
        return layout
    names = tuple(name.strip() for name in str(values["fields"]).split(","))
    for name in names:
        if name not in FIELDS or names.count(name) > 1:
            what = "is named more than once" if name in FIELDS else "is no field"
            raise InvalidRequest(
                f"fields: {reprlib.repr(name)} {what}: give some of {', '.join(FIELDS)}, commas between",
                code="unknown_field",
            )
    return replace(layout, fields=names, picked=True)
