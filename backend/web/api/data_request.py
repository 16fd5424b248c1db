"""From the parameters of `GET /api/data` to what is wanted and how it is to be written. Pure."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from backend.core.interval import ONE_MINUTE, Interval, parse_interval
from backend.errors import InvalidRequest
from backend.formats import FIELDS, FORMATS, TIMES, Format, Layout, layout_for
from backend.services.reading.bars import Selection
from backend.web.server import params
from backend.web.server.negotiation import accepted_format

KNOWN = (
    *("exchange", "market", "interval", "start_time", "end_time", "limit", "last", "order"),
    *("forming", "fill", "format", "fields", "time"),
)
ORDERS = {"asc": False, "desc": True}
FILLS = {"previous": "previous"}

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Reading:
    """`descending` wants the newest candle first. `page` is the limit that somebody set, None for none: one
    more candle than that is wanted where the answer says where the next page begins."""

    wanted: Selection
    descending: bool
    page: int | None
    format: Format
    layout: Layout


def reading(values: Mapping[str, object], accept: str = "") -> Reading:
    """Read the parameters; `accept` is the header, which counts where no `format` is given."""
    bounds = params.time_range(values)
    last, limit = params.whole(values, "last"), params.limit(values)
    _refuse_contradictions(values)
    interval = interval_of(values)
    descending = _one_of(ORDERS, "order", values, default=False)
    fills = _one_of(FILLS, "fill", values, default=None) is not None
    chosen = _one_of(FORMATS, "format", values, default=accepted_format(accept))
    peek = 1 if chosen.tells_next else 0
    wanted = Selection(
        bounds.window(),
        interval,
        limit=last if limit is None else limit + peek,
        newest=descending or last is not None,
        forming=params.switch(values, "forming"),
        fill="previous" if fills else None,
    )
    layout = layout_for(interval, fills=fills, stamped=chosen.stamped)
    layout = replace(layout, time=_one_of({unit: unit for unit in TIMES}, "time", values, default="ms"))
    return Reading(wanted, descending, limit, chosen, _with_fields(layout, values))


def _refuse_contradictions(values: Mapping[str, object]) -> None:
    for other in ("start_time", "limit"):
        if "last" in values and other in values:
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


def _one_of(
    choices: Mapping[str, Choice], name: str, values: Mapping[str, object], *, default: Choice
) -> Choice:
    if name not in values:
        return default
    chosen = str(values[name])
    if chosen not in choices:
        raise InvalidRequest(
            f"unknown {name} {reprlib.repr(chosen)}: give one of {', '.join(choices)}",
            code=f"unknown_{name}",
        )
    return choices[chosen]
