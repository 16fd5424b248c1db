"""What a reader of candles asked for, and how it is to be written."""

from __future__ import annotations

import reprlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from backend.core.interval import ONE_MINUTE, Interval, parse_interval
from backend.core.selection import Fill, Selection
from backend.core.windows import Window
from backend.errors import InvalidRequest
from backend.formats.format import Format
from backend.formats.layout import FIELDS, Layout, layout_for

ORDERS = {"asc": False, "desc": True}
FILLS: dict[str, Fill] = {"previous": "previous"}


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
    *,
    limit: int | None = None,
    last: int | None = None,
    forming: bool = False,
    interval: Interval = ONE_MINUTE,
    descending: bool = False,
    fill: Fill | None = None,
    time: str = "ms",
    fields: tuple[str, ...] | None = None,
) -> ReaderRequest:
    """The parameters put together; without `fields` those that the format and the interval bring."""
    peek = 1 if chosen.tells_next else 0
    wanted = Selection(
        window,
        interval,
        limit=last if limit is None else limit + peek,
        newest=descending or last is not None,
        forming=forming,
        fill=fill,
    )
    layout = replace(layout_for(interval, fills=fill is not None, stamped=chosen.stamped), time=time)
    if fields is not None:
        layout = replace(layout, fields=fields, picked=True)
    return ReaderRequest(wanted, descending, limit, chosen, layout)


def refuse_contradictions(given: Collection[str]) -> None:
    """`last` counts from the end, so that a beginning and a limit say something else."""
    for other in ("start_time", "limit"):
        if "last" in given and other in given:
            raise InvalidRequest(
                f"last and {other} contradict each other: use last with or without end_time, "
                "or start_time, end_time and limit",
                code="contradictory_parameters",
            )


def read_interval(text: str) -> Interval:
    """An interval in any of its spellings. Raises InvalidRequest."""
    try:
        return parse_interval(text)
    except ValueError as error:
        raise InvalidRequest(str(error), code="unknown_interval") from error


def read_fields(text: str) -> tuple[str, ...]:
    """The columns that a text names, in its order. Raises InvalidRequest."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in FIELDS or names.count(name) > 1:
            what = "appears more than once" if name in FIELDS else "is not a field"
            raise InvalidRequest(
                f"fields: {reprlib.repr(name)} {what}: use some of {', '.join(FIELDS)}",
                code="unknown_field",
            )
    return names
