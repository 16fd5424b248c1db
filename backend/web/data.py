"""`GET /api/data/{symbol}`: the stored candles of a series, at any interval, in any format, streamed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from http import HTTPStatus

from tornado.httputil import format_timestamp

from backend.services.bars import Bars
from backend.services.service import Service
from backend.services.validators import Opened, Validator
from backend.web.answer import Answer
from backend.web.base import ApiHandler
from backend.web.caching import disposition, entity_tag
from backend.web.negotiation import accepted_coding
from backend.web.reading import KNOWN, Reading, reading
from backend.web.stream import while_connected


class DataHandler(ApiHandler):
    def initialize(self, service: Service) -> None:
        super().initialize(service)
        self._gone = asyncio.get_running_loop().create_future()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if not self._gone.done():
            self._gone.set_result(None)

    async def get(self, symbol: str | None) -> None:
        values = self.query(KNOWN) | {"symbol": symbol}
        series = self.series(values)
        asked = reading(values, self.request.headers.get("Accept", ""))
        opened = await self.service.queries.open(series, asked.wanted)
        validator = await self.service.queries.validator(opened)
        coding = self._coding(asked)
        self._describe(opened, asked, coding)
        if validator and self._is_known(validator, asked, coding):
            self.set_status(HTTPStatus.NOT_MODIFIED)
            self.finish()
            return
        self.headers_are_whole()
        with closing(Answer(series, asked, coding)) as answer:
            await self._send(answer, opened, asked)
            if validator and not validator.agrees_with(answer.minutes, answer.last):
                await self.service.queries.doubt(series)
            for piece in answer.end():
                self.write(piece)
                await self.flush()
        self.finish()

    async def _send(self, answer: Answer, opened: Opened, asked: Reading) -> None:
        """Send what is read for as long as somebody listens."""
        self.write(answer.begin())
        async with aclosing(while_connected(self._batches(opened, asked), self._gone)) as batches:
            async for batch in batches:
                piece = await answer.candles(batch[::-1] if asked.descending else batch)
                if piece:
                    self.write(piece)
                    await self.flush()

    def _batches(self, opened: Opened, asked: Reading) -> Bars:
        queries = self.service.queries
        return queries.read_back(opened) if asked.descending else queries.read(opened)

    def _coding(self, asked: Reading) -> str | None:
        if asked.format.compact:
            return None
        return accepted_coding(self.request.headers.get("Accept-Encoding", ""))

    def _describe(self, opened: Opened, asked: Reading, coding: str | None) -> None:
        self.set_header("Content-Type", asked.format.media_type)
        self.set_header("Vary", "Accept, Accept-Encoding")
        if coding:
            self.set_header("Content-Encoding", coding)
        if asked.format.extension:
            name = f"{opened.series.name}-{asked.layout.interval.file_name}.{asked.format.extension}"
            self.set_header("Content-Disposition", disposition(name))

    def _is_known(self, validator: Validator, asked: Reading, coding: str | None) -> bool:
        """Whether the client has this answer already. Says by what it will know it again."""
        self.set_header("Etag", entity_tag(validator, asked, coding))
        modified = None if validator.changed is None else format_timestamp(validator.changed / 1000)
        if modified:
            self.set_header("Last-Modified", modified)
        if "If-None-Match" in self.request.headers:
            return self.check_etag_header()
        return modified is not None and self.request.headers.get("If-Modified-Since") == modified
