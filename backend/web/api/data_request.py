"""From the parameters of `GET /api/data` to what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from backend.formats import FORMATS
from backend.formats.reader_request import ReaderRequest, one_of, reader_request, refuse_contradictions
from backend.web.server import params
from backend.web.server.negotiation import accepted_format

KNOWN = (
    *("exchange", "market", "interval", "start_time", "end_time", "limit", "last", "order"),
    *("forming", "fill", "format", "fields", "time"),
)


def data_request(values: Mapping[str, object], accept: str = "") -> ReaderRequest:
    """Read the parameters; `accept` is the header, which counts where no `format` is given."""
    bounds = params.time_range(values)
    last, limit = params.whole(values, "last"), params.limit(values)
    refuse_contradictions(values)
    return reader_request(
        bounds.window(),
        one_of(FORMATS, "format", values, default=accepted_format(accept)),
        values,
        limit=limit,
        last=last,
        forming=params.switch(values, "forming"),
    )
