"""`GET /api/data/{symbol}`: the stored candles of a series, at any interval, in any format, streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from functools import partial
from http import HTTPStatus
from typing import IO

from tornado.httputil import format_timestamp

from backend.formats.candle_answer import CandlesAnswer
from backend.formats.reader_request import ReaderRequest
from backend.services.reading.bars import Bars
from backend.services.reading.validators import OpenSelection, Validator
from backend.web.api.answer import CompressedAnswer
from backend.web.api.data_request import PARAMETERS, data_request
from backend.web.server.caching import disposition, entity_tag, largest_size
from backend.web.server.files import Files, LentFile
from backend.web.server.handler import ApiHandler
from backend.web.server.kept_answers import KeptAnswers
from backend.web.server.negotiation import accepted_coding
from backend.web.server.ranges import content_range, part
from backend.web.streams.long_answer import while_connected


class DataHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(PARAMETERS)
        series = self.series(values, symbol)
        asked = data_request(values, self.request.headers.get("Accept", ""))
        opened = await self.service.reading.queries.open(series, asked.wanted)
        validator = await self.service.reading.queries.validator(opened)
        coding = self._coding(asked)
        self._describe(opened, asked, coding)
        if validator and self._is_known(validator, asked, coding):
            self.set_status(HTTPStatus.NOT_MODIFIED)
            self.finish()
            return
        with self.rooms.data.place(self.client):
            if validator and asked.format.compact and await self._sent_from_file(opened, validator, asked):
                return
            self.headers_are_whole()
            tag = self._headers["Etag"] if validator else ""
            if (body := self.kept.of(tag)) is not None:
                self.set_header("Content-Length", len(body))
                self.write(body)
                await self.flush()
            else:
                await self._stream(opened, validator, asked, coding)
            self.finish()

    @property
    def kept(self) -> KeptAnswers:
        kept: KeptAnswers = self.settings["kept_answers"]
        return kept

    async def _stream(
        self, opened: OpenSelection, validator: Validator | None, asked: ReaderRequest, coding: str | None
    ) -> None:
        """Send the answer piece by piece, and keep it for the next one who asks if it cannot change."""
        copy = self.kept.begin(self._headers["Etag"]) if validator else None
        with closing(CandlesAnswer(opened.series, asked)) as answer:
            async with aclosing(self._pieces(answer, coding, opened, validator, asked)) as pieces:
                async for piece in pieces:
                    self.write(piece)
                    await self.flush()
                    if copy:
                        copy.add(piece)
            if copy and validator and validator.agrees_with(answer.minutes, answer.last):
                copy.keep()

    async def _pieces(
        self,
        answer: CandlesAnswer,
        coding: str | None,
        opened: OpenSelection,
        validator: Validator | None,
        asked: ReaderRequest,
    ) -> AsyncGenerator[bytes, None]:
        """The pieces of the answer while the client is connected. Nothing is sent before the first candles,
        because reading them may fail."""
        body = CompressedAnswer(answer, coding)
        begun = body.begin()
        async with aclosing(while_connected(self._batches(opened, asked), self.gone)) as batches:
            async for batch in batches:
                if piece := begun + await body.candles(batch[::-1] if asked.descending else batch):
                    yield piece
                begun = b""
        if validator and not validator.agrees_with(answer.minutes, answer.last):
            await self.service.reading.queries.record_shortfall(opened.series)
        for piece in body.end():
            yield begun + piece
            begun = b""

    async def _sent_from_file(
        self, opened: OpenSelection, validator: Validator, asked: ReaderRequest
    ) -> bool:
        """Send a file, or the wanted part of it; False if there is no room for the file."""
        files: Files = self.settings["files"]
        make = partial(self._write_file, opened, validator, asked)
        async with files.lent(self._headers["Etag"], largest_size(validator, asked), make) as lent:
            if lent:
                await self._send_file(lent)
            return lent is not None

    async def _write_file(
        self, opened: OpenSelection, validator: Validator, asked: ReaderRequest, file: IO[bytes]
    ) -> bool:
        """Write the file. Returns whether its tag is still right at the end."""
        with closing(CandlesAnswer(opened.series, asked)) as answer:
            async with aclosing(self._pieces(answer, None, opened, validator, asked)) as pieces:
                async for piece in pieces:
                    file.write(piece)
        known = await self.service.reading.queries.open(opened.series, asked.wanted)
        return validator == await self.service.reading.queries.validator(known)

    async def _send_file(self, lent: LentFile) -> None:
        wanted = self._part_of(lent) if lent.sound else None
        if lent.sound:
            self.set_header("Accept-Ranges", "bytes")
        else:
            self.clear_header("Etag")
            self.clear_header("Last-Modified")
        if wanted is not None:
            self.set_header("Content-Range", content_range(wanted, lent.size))
            if not wanted:
                self.clear_header("Content-Disposition")
                self.answer_beyond_end()
                return
            self.set_status(HTTPStatus.PARTIAL_CONTENT)
        sent = range(lent.size) if wanted is None else wanted
        self.set_header("Content-Length", len(sent))
        self.headers_are_whole()
        for piece in lent.pieces(sent):
            self.write(piece)
            await self.flush()
        self.finish()

    def _part_of(self, lent: LentFile) -> range | None:
        """The wanted `Range`, None for the whole file: a HEAD has no range, and a client with another file
        gets the whole one."""
        headers, tag = self.request.headers, self._headers["Etag"]
        if self.request.method != "GET" or headers.get("If-Range", tag) != tag:
            return None
        return part(headers.get("Range", ""), lent.size)

    def _batches(self, opened: OpenSelection, asked: ReaderRequest) -> Bars:
        queries = self.service.reading.queries
        return queries.read_back(opened) if asked.descending else queries.read(opened)

    def _coding(self, asked: ReaderRequest) -> str | None:
        if asked.format.compact:
            return None
        return accepted_coding(self.request.headers.get("Accept-Encoding", ""))

    def _describe(self, opened: OpenSelection, asked: ReaderRequest, coding: str | None) -> None:
        self.set_header("Content-Type", asked.format.media_type)
        self.set_header("Vary", "Accept, Accept-Encoding")
        if coding:
            self.set_header("Content-Encoding", coding)
        if asked.format.extension:
            name = f"{opened.series.name}-{asked.layout.interval.file_name}.{asked.format.extension}"
            self.set_header("Content-Disposition", disposition(name))

    def _is_known(self, validator: Validator, asked: ReaderRequest, coding: str | None) -> bool:
        """Whether the client has this answer already. Also sets the headers with which it can ask next
        time."""
        self.set_header("Etag", entity_tag(validator, asked, coding))
        modified = None if validator.changed is None else format_timestamp(validator.changed / 1000)
        if modified:
            self.set_header("Last-Modified", modified)
        if "If-None-Match" in self.request.headers:
            return self.check_etag_header()
        return modified is not None and self.request.headers.get("If-Modified-Since") == modified
