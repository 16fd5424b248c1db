"""`GET /api/stream`: closed candles as they are stored, as server-sent events, with no hole before them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tornado.iostream import StreamClosedError

from backend.core.columns import Columns
from backend.core.cursors import Cursors, parse_cursors, question_of
from backend.core.interval import Interval
from backend.core.series import Series
from backend.errors import InvalidRequest, SeriesNotStored
from backend.formats import FORMATS, layout_for
from backend.services.feed import Feed
from backend.services.service import Service
from backend.web import params, views
from backend.web.base import ApiHandler
from backend.web.reading import interval_of

KNOWN = ("series", "interval", "since")
MOST_SERIES = 100
QUIET_SECONDS = 15.0
"""After so long without a candle a comment keeps the connection open."""

SLOW_SECONDS = 30.0
"""How long a client may take to read what was sent."""

FAREWELL_SECONDS = 2.0
DROPPED = b'event: dropped\ndata: {"reason":"too slow: what was sent was not read in time"}\n\n'


class StreamHandler(ApiHandler):
    def initialize(self, service: Service, slow_seconds: float = SLOW_SECONDS) -> None:
        super().initialize(service)
        self._slow_seconds = slow_seconds
        self._gone = asyncio.get_running_loop().create_future()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if not self._gone.done():
            self._gone.set_result(None)

    async def get(self) -> None:
        values = self.query(KNOWN)
        series = self._series(params.text(values, "series"))
        interval, since = interval_of(values), params.since(values)
        question = question_of(series, interval)
        resumed = self._resumed(question, len(series))
        await self._refuse_strangers(series)
        feed = await self.service.feeds.open(series, interval, since, resumed)
        with self.service.feeds.pulse.listening(series):
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("Cache-Control", "no-store")
            await self._send(b": candles follow\n\n")
            teller = Teller(series, interval, question)
            while not self._gone.done():
                await self._tell(feed, teller)

    async def _tell(self, feed: Feed, teller: Teller) -> None:
        """What is new, then wait for more."""
        news = feed.news
        async for place, batch in feed.new():
            await self._send(teller.events(feed.cursors, place, batch))
        if not await self._waited(news):
            await self._send(b": still here\n\n")

    async def _waited(self, news: asyncio.Event) -> bool:
        coming = asyncio.ensure_future(news.wait())
        try:
            done, _ = await asyncio.wait(
                {coming, self._gone}, timeout=QUIET_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            coming.cancel()
        return bool(done)

    async def _send(self, text: bytes) -> None:
        """Send and wait until it is on its way; who does not take it in time is dropped."""
        if self._gone.done():
            raise StreamClosedError
        self.write(text)
        sending = asyncio.ensure_future(self.flush())
        await asyncio.wait(
            {sending, self._gone}, timeout=self._slow_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if sending.done():
            sending.result()
            return
        sending.cancel()
        if self._gone.done():
            raise StreamClosedError
        self.failure = "dropped: what was sent was not read in time"
        self.write(DROPPED)
        with suppress(StreamClosedError, TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(self.flush()), FAREWELL_SECONDS)
        raise StreamClosedError

    def _series(self, text: str) -> list[Series]:
        parts = [part.split(":", 2) for part in text.split(",")]
        if len(parts) > MOST_SERIES or not all(len(part) == 3 for part in parts):
            raise InvalidRequest(
                f"series must be 1 to {MOST_SERIES} such as binance:spot:BTCUSDT, with commas between them",
                code="invalid_series",
            )
        markets = self.service.markets
        return list(dict.fromkeys(markets.series(symbol, *market) for *market, symbol in parts))

    def _resumed(self, question: str, series: int) -> Cursors | None:
        text = self.request.headers.get("Last-Event-ID", "")
        try:
            return parse_cursors(text, question, series) if text else None
        except ValueError as error:
            raise InvalidRequest(f"Last-Event-ID: {error}", code="invalid_last_event_id") from error

    async def _refuse_strangers(self, series: list[Series]) -> None:
        followed = {one.follow.series for one in await self.service.follows.all()}
        for one in series:
            if one not in followed and (await self.service.queries.known(one)).since is None:
                raise SeriesNotStored(f"{views.series_text(one)} is neither stored nor followed: follow it")


class Teller:
    """Writes candles as events."""

    def __init__(self, series: list[Series], interval: Interval, question: str) -> None:
        self._series = series
        self._interval = interval
        self._question = question
        self._layout = layout_for(interval, fills=False, stamped=True)

    def events(self, cursors: Cursors, place: int, batch: Columns) -> bytes:
        """One event a candle. Its id says how far every series was told after it."""
        series = self._series[place]
        about = b'{"series":"%b","interval":"%b",' % (
            views.series_text(series).encode(),
            self._interval.name.encode(),
        )
        lines = FORMATS["ndjson"].make(series, self._layout).candles(batch).splitlines()
        ends = self._interval.ends(batch.open_time).tolist()
        return b"".join(
            b"id: %b\nevent: candle\ndata: %b%b\n\n"
            % (cursors.moved(place, end).text(self._question).encode(), about, line[1:])
            for end, line in zip(ends, lines, strict=True)
        )
