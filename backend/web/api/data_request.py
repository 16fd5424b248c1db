"""Reads the parameters of `GET /api/data` into a request. Pure."""

from __future__ import annotations

from backend.core.interval import INTERVALS
from backend.formats import FIELDS, FORMATS, TIMES, Format
from backend.formats.reader_request import (
    FILLS,
    ORDERS,
    ReaderRequest,
    read_fields,
    reader_request,
    refuse_contradictions,
)
from backend.web.server.common_parameters import (
    END_TIME,
    EXCHANGE,
    MARKET,
    START_TIME,
    interval,
    time_range,
)
from backend.web.server.json_schema import TEXT, choice
from backend.web.server.negotiation import accepted_format
from backend.web.server.parameters import Parameter, Values, one_of, switch, whole

INTERVAL = interval(
    f"One of {', '.join(INTERVALS)} (`m` is the minute, `M` the month); `1min`, `60`, `1H`, `D`, `PT15M`, "
    "`P1D` are understood too"
)
LIMIT = whole(
    "limit", "So many candles at most; in JSON, `next` is the `start_time` of the following page, or null"
)
LAST = whole("last", "Number of newest candles up to `end_time`; not together with `start_time` or `limit`")
ORDER = one_of(
    "order",
    ORDERS,
    "`desc`: the newest first; then `limit` counts from the newest, and `next` is an `end_time`",
    default=False,
    shown="asc",
)
FORMING = switch(
    "forming",
    "`true`: include the candle that is not over yet",
    choice(("true", "false")) | {"default": "false"},
)
FILL = one_of(
    "fill",
    FILLS,
    "Fill holes with flat candles, marked as `filled`; without it, holes have no candle",
    default=None,
)
FORMAT: Parameter[Format | None] = one_of(
    "format",
    FORMATS,
    "The format; without it the `Accept` header decides, else JSON. `arrow` is an IPC stream",
    default=None,
)
_FIELDS = f"Some of {', '.join(FIELDS)}, separated by commas, in the order that you want"
COLUMNS: Parameter[tuple[str, ...] | None] = Parameter(
    "fields", _FIELDS, TEXT, lambda _, value: read_fields(str(value)), None, refusals=()
)
TIME = one_of(
    "time",
    {unit: unit for unit in TIMES},
    "Unit of `open_time` and `close_time`",
    default="ms",
    shown="ms",
)
PARAMETERS = (
    *(EXCHANGE, MARKET, INTERVAL, START_TIME, END_TIME, LIMIT, LAST, ORDER),
    *(FORMING, FILL, FORMAT, COLUMNS, TIME),
)


def data_request(values: Values, accept: str = "") -> ReaderRequest:
    """Read the parameters. `accept` is the header; it counts if `format` is not given."""
    bounds = time_range(values)
    last, limit = values[LAST], values[LIMIT]
    refuse_contradictions({one.name for one in (START_TIME, LIMIT, LAST) if one in values})
    return reader_request(
        bounds.window(),
        values[FORMAT] or accepted_format(accept),
        limit=limit,
        last=last,
        forming=values[FORMING],
        interval=values[INTERVAL],
        descending=values[ORDER],
        fill=values[FILL],
        time=values[TIME],
        fields=values[COLUMNS],
    )
