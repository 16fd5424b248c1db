"""`POST /api/import`: imports the user's files of candles, one file in each request, checked before it is
stored."""

from __future__ import annotations

from contextlib import ExitStack

from tornado.http1connection import HTTP1Connection

from backend.core.archive_file import LARGEST_TEXT
from backend.web.api import sync_views
from backend.web.server.common_parameters import EXCHANGE, MARKET
from backend.web.server.handler import ApiHandler
from backend.web.server.parameters import text

NAME = text("name", "The file's name, with its symbol and its minutes: `BTCUSDT-1m-2024-06.zip`")
SYMBOL = text("symbol", "The symbol, if the file's name does not contain it", default="")
PARAMETERS = (NAME, SYMBOL, EXCHANGE, MARKET)

SECONDS = 600.0
"""Longest time of an upload, in seconds."""


class ImportHandler(ApiHandler):
    largest_body = LARGEST_TEXT

    def prepare(self) -> None:
        """Take a place before the upload: files are kept in memory."""
        super().prepare()
        self._place = ExitStack()
        self._place.enter_context(self.rooms.imports.place(self.client))
        if isinstance(connection := self.request.connection, HTTP1Connection):
            connection.set_body_timeout(SECONDS)

    async def post(self) -> None:
        values = self.query(PARAMETERS)
        named = (values[NAME], self.whole_body(), values[EXCHANGE], values[MARKET], values[SYMBOL])
        self._body.clear()
        self.answer(sync_views.taken(await self.service.syncing.imports.take(*named)))

    def on_finish(self) -> None:
        super().on_finish()
        self._leave()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._leave()

    def _leave(self) -> None:
        if place := getattr(self, "_place", None):
            place.close()
