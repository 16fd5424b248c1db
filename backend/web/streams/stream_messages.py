"""Candles as events. The id of each event is the text with which a client can continue after it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backend.core.columns import Columns
from backend.core.cursors import Cursors
from backend.core.interval import Interval
from backend.core.series import Series, series_text
from backend.formats import FORMATS, layout_for


class Event(NamedTuple):
    """`data` is a JSON object. A client that continues after `id` misses nothing. Events that are not stored
    have no id."""

    name: str
    data: bytes
    id: str = ""


class MessageWriter:
    """Writes candles of some series as events."""

    def __init__(self, series: Sequence[Series], interval: Interval, question: str) -> None:
        self._series = series
        self._interval = interval
        self._question = question
        self._layout = layout_for(interval, fills=False, stamped=True)

    def closed(self, cursors: Cursors, place: int, batch: Columns) -> list[Event]:
        """One event for each candle. Its id says how far every series was sent."""
        ends = self._interval.ends(batch.open_time).tolist()
        return [
            Event("candle", data, cursors.moved(place, end).text(self._question))
            for end, data in zip(ends, self._data(place, batch), strict=True)
        ]

    def forming(self, place: int, candle: Columns) -> list[Event]:
        """The event of a forming candle."""
        return [Event("forming", data) for data in self._data(place, candle)]

    def _data(self, place: int, candles: Columns) -> list[bytes]:
        series = self._series[place]
        about = b'{"series":"%b","interval":"%b",' % (
            series_text(series).encode(),
            self._interval.name.encode(),
        )
        lines = FORMATS["ndjson"].make(series, self._layout).candles(candles).splitlines()
        return [about + line[1:] for line in lines]


def as_text(events: Sequence[Event]) -> bytes:
    """Events as a stream of `text/event-stream` has them."""
    return b"".join(
        b"%bevent: %b\ndata: %b\n\n"
        % (b"id: %b\n" % event.id.encode() if event.id else b"", event.name.encode(), event.data)
        for event in events
    )


def as_message(event: Event) -> bytes:
    """An event as a JSON object of its own."""
    place = b'"id":"%b",' % event.id.encode() if event.id else b""
    return b'{"event":"%b",%b"data":%b}' % (event.name.encode(), place, event.data)
