"""The request of `/api/stream`, and the loop that sends the stream, for both forms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from backend.core.cursors import Cursors, parse_cursors, question_of
from backend.core.interval import Interval
from backend.core.series import Series, series_text
from backend.errors import InvalidRequest, SeriesNotStored
from backend.services.following.pushed_candles import LiveCandles
from backend.services.service import Service
from backend.services.streaming.feed import Feed
from backend.services.syncing.markets import Markets
from backend.web.server.common_parameters import interval
from backend.web.server.json_schema import TEXT
from backend.web.server.parameters import Parameter, Values, invalid, minute, switch, text
from backend.web.streams.long_answer import wait_for_any
from backend.web.streams.stream_messages import Event, MessageWriter

MOST_SERIES = 100

SERIES = text("series", f"Up to {MOST_SERIES} such as `binance:spot:BTCUSDT`, separated by commas")
INTERVAL = interval("Length of a candle, as in `/api/data`")
SINCE = minute(
    "since",
    "First open time in the stream, which then continues without a hole; without it, the next closed candle",
)
LAST_EVENT_ID: Parameter[str] = Parameter(
    "last_event_id",
    "Continue after the event with this `id`; the header `Last-Event-ID` does the same and replaces it",
    TEXT,
    lambda _, value: str(value),
    "",
)
FORMING = switch("forming", "`true`: include candles that are not over yet, if the exchange pushes them")
PARAMETERS = (SERIES, INTERVAL, SINCE, LAST_EVENT_ID, FORMING)


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """How streams treat their clients, in seconds: after `quiet` they give a sign of life, within `slow` what
    was sent must be taken, within `silent` a ping be answered. `slow` is less than what a connection
    (`web/server/client_connection.py`) allows, so that there is time to say why."""

    quiet: float = 15.0
    slow: float = 25.0
    silent: float = 30.0


PATIENT = StreamTimes()


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A client's request; `resumed` is how far it has read before."""

    series: Sequence[Series]
    interval: Interval
    since: int | None
    resumed: Cursors | None
    forming: bool

    @property
    def question(self) -> str:
        return question_of(self.series, self.interval)


class StreamOutlet(Protocol):
    """The outlet of a client's events. Both methods raise StreamClosedError if the client is gone or
    dropped."""

    async def send(self, events: Sequence[Event]) -> None:
        """Send, and wait until the data is sent."""

    async def breathe(self) -> float:
        """Send a sign of life if it is due. Returns the seconds until the next one."""


class Teller(Protocol):
    """The sender for one client."""

    def attending(self) -> AbstractContextManager[None]:
        """Look for as long as the block lasts."""

    async def tell(self, outlet: StreamOutlet, gone: asyncio.Future[None]) -> None:
        """Tell what is new until the client is `gone`, or the service stops."""


def stream_request_of(
    values: Values, last_event_id: str, markets: Markets, live: LiveCandles
) -> StreamRequest:
    """Read the parameters. `last_event_id` is the header, and wins: a client that reconnects repeats its
    address and moves on its header."""
    series = series_of(values[SERIES], markets)
    interval = values[INTERVAL]
    place = last_event_id or values[LAST_EVENT_ID]
    forming = values[FORMING]
    for one in series if forming else ():
        if not live.can_hear(one):
            raise InvalidRequest(
                f"this service receives no pushed candles of {series_text(one)}, so it knows no forming "
                "candle: leave forming out",
                code="forming_unavailable",
            )
    resumed = _resumed(place, series, interval)
    return StreamRequest(series, interval, values[SINCE], resumed, forming)


class Listener:
    """Sends one client its candles. Call `open` first."""

    def __init__(self, service: Service, wish: StreamRequest, feed: Feed) -> None:
        self._service = service
        self._ledger_watch = service.streaming.feeds.ledger_watch
        self._wish = wish
        self._feed = feed
        self._teller = MessageWriter(wish.series, wish.interval, wish.question)

    @classmethod
    async def open(cls, service: Service, wish: StreamRequest) -> Listener:
        """Raises SeriesNotStored for a series that was never requested, and DatabaseUnavailable."""
        for one in wish.series:
            if (
                await service.reading.queries.known(one)
            ).since is None and not await service.following.follows.has(one):
                raise SeriesNotStored(f"{series_text(one)} is neither stored nor followed: follow it first")
        feed = await service.streaming.feeds.open(wish.series, wish.interval, wish.since, wish.resumed)
        return cls(service, wish, feed)

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Have the series looked at for as long as the block lasts."""
        series = self._wish.series
        watching = self._service.streaming.live.watching(series) if self._wish.forming else nullcontext()
        with self._ledger_watch.listening(series), watching:
            yield

    async def tell(self, outlet: StreamOutlet, gone: asyncio.Future[None]) -> None:
        """Tell what is new until the client is `gone`, or the service stops."""
        forming = self._service.streaming.feeds.forming(self._wish.series, self._wish.interval)
        second = self._ledger_watch.second
        while not gone.done() and not self._ledger_watch.over:
            news = self._ledger_watch.news
            async for place, batch in self._feed.new():
                await outlet.send(self._teller.closed(self._feed.cursors, place, batch))
            if self._wish.forming and second.is_set():
                second = self._ledger_watch.second
                async for place, candle in forming.changed(self._feed.cursors):
                    await outlet.send(self._teller.forming(place, candle))
            events = [news, second] if self._wish.forming else [news]
            await wait_for_any(events, gone, await outlet.breathe())


def series_of(text: str, markets: Markets) -> list[Series]:
    """Read "binance:spot:BTCUSDT,bitget:perpetual:ETHUSDT"."""
    parts = [part.split(":", 2) for part in text.split(",")]
    if len(parts) > MOST_SERIES or not all(len(part) == 3 for part in parts):
        raise invalid(SERIES.name, f"1 to {MOST_SERIES} such as binance:spot:BTCUSDT, separated by commas")
    return list(dict.fromkeys(markets.series(symbol, *market) for *market, symbol in parts))


def _resumed(text: str, series: Sequence[Series], interval: Interval) -> Cursors | None:
    try:
        return parse_cursors(text, question_of(series, interval), len(series)) if text else None
    except ValueError as error:
        raise InvalidRequest(f"Last-Event-ID: {error}", code="invalid_last_event_id") from error
