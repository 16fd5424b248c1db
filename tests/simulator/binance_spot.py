"""Binance spot: `klines`, `exchangeInfo`, `time` and `ping` under `/api/v3`.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api (market data endpoints, general
information on limits) and .../errors. A row, as `klines` sends it:
[1717200000000,"67540.01000000","67561.22000000","67530.00000000","67555.10000000","12.41230000",1717200059999,
"838412.11930000",1034,"6.10020000","412003.51900000","0"]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from tests.simulator.answers import Admission, Answer, Question, html_answer, json_answer
from tests.simulator.archive import FOREVER, Archive
from tests.simulator.binance_info import exchange_info
from tests.simulator.binance_params import (
    Rejected,
    grid_of,
    limit_of,
    microseconds,
    named,
    require,
    symbol_of,
    time_of,
    zone_of,
)
from tests.simulator.pages import Pages, Selection
from tests.simulator.rows import Row
from tests.simulator.weights import Policy, Refusal, WeightCounter

DEFAULT_LIMIT, MAXIMUM_LIMIT = 500, 1000
WEIGHTS = {"/api/v3/klines": 2, "/api/v3/exchangeInfo": 20, "/api/v3/time": 1, "/api/v3/ping": 1}
KLINES_NAMES = ("symbol", "interval", "startTime", "endTime", "timeZone", "limit")
MESSAGES = {
    500: (-1000, "An unknown error occurred while processing the request."),
    503: (-1008, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    451: (
        0,
        "Service unavailable from a restricted location according to 'b. Eligibility' in "
        "https://www.binance.com/en/terms. Please contact customer service if you believe you received this "
        "message in error.",
    ),
}
"""Error objects of statuses without a parameter error; other ones come as HTML from a proxy. 451 has code
0."""


class BinanceSpot:
    """The spot market data interface over an archive."""

    def __init__(self, archive: Archive, policy: Policy, cached_chunks: int) -> None:
        self._archive = archive
        self._policy = policy
        self._counter = WeightCounter(policy, archive.clock)
        self._pages = Pages(archive, cached_chunks)
        self._routes: dict[str, Callable[[Question], Answer]] = {
            "/api/v3/klines": self._klines,
            "/api/v3/exchangeInfo": self._exchange_info,
            "/api/v3/time": self._time,
            "/api/v3/ping": self._ping,
        }

    def serves(self, path: str) -> bool:
        """Whether the path is one of the spot interface."""
        return path.startswith("/api/v3/")

    def admit(self, question: Question) -> Admission:
        """Count the weight by the minute and refuse what goes over it, with 429 and then 418."""
        weight = WEIGHTS.get(question.path, 1)
        refusal = self._counter.take(weight)
        used = str(self._counter.used)
        headers = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        return Admission(weight, headers, self._refused(refusal) if refusal else None)

    def answer(self, question: Question) -> Answer:
        """Answer a request that was let pass."""
        route = self._routes.get(question.path)
        if route is None or question.method != "GET":
            return _not_found(question)
        try:
            _micro(question)
            return route(question)
        except Rejected as rejected:
            return _error(400, rejected.code, rejected.message)

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return Binance's answer of a status: JSON from the exchange itself, HTML from what stands before
        it."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 429:
            return _error(429, -1003, self._too_much_weight(), headers)
        if status == 418:
            until = self._archive.clock.now() + (retry_after or 120) * 1000
            return _error(418, -1003, _banned(until), headers)
        if status in MESSAGES:
            return _error(status, *MESSAGES[status], headers)
        return replace(html_answer(status, _title(status)), headers=headers)

    def _refused(self, refusal: Refusal) -> Answer:
        headers = {"Retry-After": str(refusal.retry_after)}
        if refusal.banned_until is None:
            return _error(429, -1003, self._too_much_weight(), headers)
        return _error(418, -1003, _banned(refusal.banned_until), headers)

    def _too_much_weight(self) -> str:
        limit = self._policy.limit or 6000
        return (
            f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )

    def _klines(self, question: Question) -> Answer:
        params = named(question.params, KLINES_NAMES)
        require(params, "symbol", "interval")
        market = self._archive.market(symbol_of(params["symbol"]))
        if market is None:
            raise Rejected(-1121, "Invalid symbol.")
        grid = grid_of(params["interval"])
        wanted = self._selection(params)
        grid = grid.shifted(zone_of(params.get("timeZone", "0")))
        render = micro_row if _micro(question) else row
        faults = self._archive.faults
        if faults.fails(*wanted.reach(market.listed, self._archive.clock.now(), grid.step)):
            return self.failure(500)
        if faults.strikes(faults.outside_rate):
            wanted = wanted.widened(2 * grid.step)
        texts = faults.disordered(self._pages.page(market, grid, wanted, render))
        return Answer(200, b"[" + b",".join(texts) + b"]")

    def _selection(self, params: dict[str, str]) -> Selection:
        """Return what is asked for by the four range rules: without a start the newest rows, else the
        oldest."""
        cap = self._archive.faults.page_cap or MAXIMUM_LIMIT
        limit = limit_of(params["limit"], MAXIMUM_LIMIT) if "limit" in params else DEFAULT_LIMIT
        return Selection(
            start=time_of(params, "startTime", 0),
            end=time_of(params, "endTime", FOREVER),
            limit=min(limit, cap),
            newest="startTime" not in params,
        )

    def _exchange_info(self, question: Question) -> Answer:
        return json_answer(
            exchange_info(question, self._archive.listed(), self._archive.clock.now(), self._policy.limit)
        )

    def _time(self, question: Question) -> Answer:
        named(question.params, ())
        now = self._archive.clock.now()
        return json_answer({"serverTime": now * 1000 if _micro(question) else now})

    def _ping(self, question: Question) -> Answer:
        named(question.params, ())
        return json_answer({})


def row(candle: Row, following: int) -> bytes:
    """Print a candle as `klines` does; `following` is the open time of the next one, ms UTC."""
    return _printed(candle, candle.open_time, following - 1)


def micro_row(candle: Row, following: int) -> bytes:
    """Print a candle with times in µs."""
    return _printed(candle, candle.open_time * 1000, following * 1000 - 1)


def _printed(candle: Row, open_time: int, close_time: int) -> bytes:
    _, opened, high, low, close, volume, quote, trades, taker, taker_quote = candle
    return (
        f'[{open_time},"{opened}","{high}","{low}","{close}","{volume}",{close_time},'
        f'"{quote}",{trades},"{taker}","{taker_quote}","0"]'
    ).encode()


def _micro(question: Question) -> bool:
    return microseconds(question.headers.get("x-mbx-time-unit"))


def _banned(until: int) -> str:
    return (
        f"Way too much request weight used; IP banned until {until}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )


def _title(status: int) -> str:
    return (
        "ERROR: The request could not be satisfied"
        if status == 403
        else f"{status} {HTTPStatus(status).phrase}"
    )


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return json_answer({"code": code, "msg": message}, status, headers)


def _not_found(question: Question) -> Answer:
    """Return 404, as HTML only to a client that accepts HTML. The JSON form is not documented."""
    if "text/html" in question.headers.get("accept", ""):
        return html_answer(404, "404 Not Found")
    return json_answer({"status": 404, "error": "Not Found", "path": question.path}, 404)
