"""The HTTP server: it meets requests with the faults that are switched on, then lets an exchange answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.simulator.answers import CUT, Admission, Answer, Options, Question, Venue, json_answer
from tests.simulator.archive import Archive
from tests.simulator.clock import SimulatorClock
from tests.simulator.control import Control
from tests.simulator.exchanges import EXCHANGES
from tests.simulator.faults import Faults
from tests.simulator.markets import KINDS, Market, default_markets, markets_of
from tests.simulator.private.accounts import Accounts
from tests.simulator.private.sockets import AccountSockets
from tests.simulator.private.venues import private_venues
from tests.simulator.requestlog import Record, RequestLog
from tests.simulator.resets import reset
from tests.simulator.rows import Numbers
from tests.simulator.sockets.hub import Hub

NO_HEADERS: Mapping[str, str] = {}


class Simulator:
    """Imitated exchanges behind one local address; an async context manager that starts and stops it.

    `limits` is False where no exchange may refuse for its rate limits. `weight_limit` is a minute's weight on
    Binance spot (None for no limit); `patience` the refused requests in a minute before Binance bans;
    `cached_chunks` bounds the memory for rendered candles (about 250 kB a chunk) of each exchange and
    market kind; `kept_requests` bounds `requests`. `accounts` are those that venues know, by key
    (`private/running.py` makes a simulator with one).
    """

    def __init__(
        self,
        markets: Iterable[Market] | None = None,
        clock: SimulatorClock | None = None,
        faults: Faults | None = None,
        *,
        limits: bool = True,
        weight_limit: int | None = 6000,
        patience: int = 10,
        cached_chunks: int = 1000,
        kept_requests: int = 100_000,
        accounts: Accounts | None = None,
    ) -> None:
        self.clock = clock or SimulatorClock()
        self.faults = faults or Faults()
        self.log = RequestLog(kept_requests)
        self.url = ""
        self._archives = self._filled(default_markets() if markets is None else list(markets))
        options = Options(limits, weight_limit, patience, cached_chunks)
        self._venues: list[Venue] = [
            *private_venues(accounts or {}, self.clock, self.faults, limited=limits),
            *(venue for name, build in EXCHANGES.items() for venue in build(self._archives[name], options)),
        ]
        self.account_sockets = AccountSockets(accounts or {}, self.clock)
        self._hub = Hub(self._archives, limited=limits)
        self._control = Control(self.clock, self.faults, self.log, self._hub)
        self._runner: web.ServerRunner | None = None

    @property
    def requests(self) -> deque[Record]:
        """The latest requests, oldest first, without those to `/_sim/`."""
        return self.log.records

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return self._hub.open

    def cut_sockets(self) -> None:
        """Reset the connections of all open sockets."""
        self._hub.cut()

    def archive(self, venue: str, market: str) -> Archive:
        """Return what an exchange has of one kind of market."""
        return self._archives[venue][market]

    def history(
        self, symbol: str, start: int, end: int, venue: str = "binance", market: str = "spot"
    ) -> list[Numbers]:
        """Return the candles that the exchange has, opening in [start, end) and closed by now; times in ms
        UTC.

        The symbol is base + quote on every exchange; `market` is "spot" or "perpetual".

        Each is (open_time, open, high, low, close, volume, quote_volume, trades, taker_buy_volume,
        taker_buy_quote_volume). Raises KeyError for an unknown symbol, exchange or market kind.
        """
        return self._archives[venue][market].history(symbol, start, end)

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen on a port (0 for a free one) and set `url`."""
        self._runner = web.ServerRunner(
            web.Server(self._serve, access_log=None, handler_cancellation=True), shutdown_timeout=1.0
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        """Let go of hanging answers and sockets, and close the server."""
        self.faults.release()
        await self._hub.close()
        await self.account_sockets.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _filled(self, markets: Sequence[Market]) -> dict[str, dict[str, Archive]]:
        """Return an archive for each exchange and market kind."""
        return {
            venue: {
                kind: Archive(markets_of(venue, kind, markets), self.clock, self.faults) for kind in KINDS
            }
            for venue in EXCHANGES
        }

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/_sim/"):
            return self._response(self._control.answer(request.method, request.path, await request.read()))
        if self.account_sockets.serves(request):
            return await self.account_sockets.serve(request)
        if dialect := self._hub.dialect(request):
            return await self._hub.serve(dialect, request)
        question = await _question(request)
        venue = next((venue for venue in self._venues if venue.serves(question.path)), None)
        admission = venue.admit(question) if venue else Admission(0, NO_HEADERS)
        record = Record(question.path, dict(question.params), 0, admission.weight, self.clock.now())
        try:
            answer = await self._answer(venue, question, admission)
        except asyncio.CancelledError:
            self.log.add(record)
            raise
        self.log.add(replace(record, status=answer.status))
        if answer is CUT:
            reset(request)
        return self._response(answer, admission.headers)

    async def _answer(self, venue: Venue | None, question: Question, admission: Admission) -> Answer:
        if venue is None:
            return json_answer({"error": f"no exchange serves {question.path}"}, 404)
        faults = self.faults
        if delay := faults.delay():
            await asyncio.sleep(delay)
        if admission.refusal:
            return admission.refusal
        if forced := faults.take_forced():
            return forced.verbatim() or venue.failure(forced.status, forced.retry_after)
        if faults.strikes(faults.reset_rate):
            return CUT
        if faults.strikes(faults.hang_rate):
            await faults.hang()
        if faults.strikes(faults.error_rate):
            return venue.failure(faults.random.choice(faults.error_statuses))
        answer = venue.answer(question)
        if faults.lie:
            answer = faults.lie.instead_of(answer)
        return faults.garbled(answer) if faults.strikes(faults.garbage_rate) else answer

    def _response(self, answer: Answer, headers: Mapping[str, str] = NO_HEADERS) -> web.Response:
        head = {
            "Date": self.clock.http_date(),
            "Content-Type": answer.content_type,
            **headers,
            **answer.headers,
        }
        return web.Response(body=answer.body, status=answer.status or 500, headers=head)


async def _question(request: web.BaseRequest) -> Question:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.rel_url.raw_query_string
    return Question(
        request.method, request.path, tuple(request.query.items()), headers, query, await request.read()
    )
