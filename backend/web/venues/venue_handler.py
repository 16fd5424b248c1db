"""Common parts of all venues' handlers: reading through the mirror, and the venue's own refusals."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from tornado.web import HTTPError, RequestHandler

from backend.core.columns import Columns
from backend.core.selection import Selection
from backend.core.series import Series
from backend.errors import InvalidRequest, TooManyStreams, UnknownSymbol
from backend.services.reading.instruments import Instrument
from backend.services.reading.mirror import CandlePage
from backend.web.server.handler import ApiHandler
from backend.web.streams.long_answer import unless_gone
from backend.web.venues.venue_parameters import VenueParameter

_NATURAL = re.compile(r"[0-9]{1,20}", re.ASCII)

Answer = TypeVar("Answer")

Route = tuple[str, type[RequestHandler], dict[str, Any]]

Query = Mapping[str, list[str]]
"""The query parameters, each with all the values that were given."""


class VenueRefusal(InvalidRequest):
    """A refusal of the venue, with its status and body."""

    def __init__(self, body: Mapping[str, object], status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(msgspec.json.encode(body).decode())
        self.body = body
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for candles; `symbol` is in the venue's spelling."""

    symbol: str
    wanted: Selection


def first(query: Query, parameter: VenueParameter) -> str:
    """The value of a parameter, empty where it is not given."""
    return query[parameter.name][0] if parameter.name in query else ""


def natural(text: str) -> int | None:
    """A whole number that is not negative, None for any other text."""
    return int(text) if _NATURAL.fullmatch(text) else None


class VenueHandler(ApiHandler):
    """One exchange's interface. Subclasses name the exchange and its answers to errors."""

    exchange = ""
    market = ""

    def asked(self) -> Query:
        return {
            name: [value.decode("utf-8", "replace") for value in values]
            for name, values in self.request.query_arguments.items()
        }

    def send(self, body: object) -> None:
        """Answer in JSON, which on an exchange need not be an object."""
        self.finish(msgspec.json.encode(body))

    async def candles(self, asked: Asked) -> Columns:
        """The whole candles that are stored. Raises `unknown_symbol` where a sync learnt that it is."""
        page = await self.page(self.series_of(asked.symbol), asked.wanted)
        self._tell(page)
        if page.sync == UnknownSymbol.code and not page.stored:
            raise self.unknown_symbol(asked.symbol)
        return page.candles

    async def page(self, series: Series, wanted: Selection) -> CandlePage:
        """What is stored of the selection, after a sync where one is due."""
        return await self.read(self.service.reading.mirror.page(series, wanted))

    async def read(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        """Read in a place of its own while the client is connected."""
        try:
            with self.rooms.data.place(self.client):
                return await unless_gone(answer, self.gone)
        finally:
            answer.close()

    def series_of(self, symbol: str) -> Series:
        """Raises `unknown_symbol` for what no symbol is called."""
        try:
            return self.service.reading.mirror.series(self.exchange, self.market, symbol)
        except InvalidRequest as error:
            raise self.unknown_symbol(symbol) from error

    async def instruments(self, symbols: list[str] | None = None) -> list[Instrument]:
        """What is listed; of `symbols`, in the venue's spelling, where they are given."""
        wanted = None if symbols is None else {self.series_of(symbol).symbol for symbol in symbols}
        instruments = await self.read(self.service.reading.mirror.listed(self.exchange, self.market, wanted))
        if wanted is not None and len(instruments) < len(wanted):
            self.set_header("X-Series", "not stored")
        return instruments

    def unknown_symbol(self, symbol: str) -> VenueRefusal:
        """What the venue answers for a symbol that it does not list."""
        raise NotImplementedError

    def trouble(self) -> VenueRefusal:
        """The venue's answer to an error of its own."""
        raise NotImplementedError

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, HTTPError | TooManyStreams):
            super().write_error(status_code, **kwargs)
            return
        refusal = error if isinstance(error, VenueRefusal) else self.trouble()
        self.failure = str(error)
        self.set_status(refusal.status)
        self.finish(msgspec.json.encode(refusal.body))

    def _tell(self, page: CandlePage) -> None:
        state = "stored" if page.complete else "incomplete"
        self.set_header("X-Series", state if page.stored else "not stored")
        if page.sync is not None:
            self.set_header("X-Sync", page.sync)
