"""Parameters of the venues' interfaces: readers and documents take them from here. Pure."""

from __future__ import annotations

from typing import NamedTuple


class VenueParameter(NamedTuple):
    """A text in the query that may be left out, and what it says."""

    name: str
    about: str


SYMBOL = VenueParameter("symbol", "In the venue's spelling")
INTERVAL = VenueParameter("interval", "As in `/api/data`")
START = VenueParameter("startTime", "First time")
END = VenueParameter("endTime", "Last time")
LIMIT = VenueParameter("limit", "Most candles in the answer")
START_DATE = VenueParameter("start_date", "First time: ISO-8601, or ms")
END_DATE = VenueParameter("end_date", "Last time: ISO-8601, or ms")
ZONE = VenueParameter("timeZone", "Time zone in which long candles open")
