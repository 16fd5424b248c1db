"""Bitget v2, spot and USDT-margined contracts ("mix"): candles, lists of markets, server time.

Source: https://www.bitget.com/api-doc/common/intro and the pages that the modules beside this one name. An
answer: {"code":"00000","msg":"success","requestTime":1790782741000,"data":[["1790782740000","84128.2",...]]}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from tests.simulator.answers import Admission, Answer, Options, Question, Venue, html_answer, json_answer
from tests.simulator.archive import Archive
from tests.simulator.bitget_families import MIX, PRICES, SPOT, Family
from tests.simulator.bitget_limits import BitgetLimits
from tests.simulator.bitget_listings import contracts, margin_pairs, symbols
from tests.simulator.bitget_params import Rejected, market_of, product_type_of, require, unknown
from tests.simulator.bitget_quotes import (
    mix_book,
    mix_funding,
    mix_payments,
    mix_ticker,
    spot_book,
    spot_tickers,
)
from tests.simulator.bitget_rules import BitgetRules
from tests.simulator.bitget_windows import closed, history, recent
from tests.simulator.intervals import Grid
from tests.simulator.markets import Market
from tests.simulator.pages import Pages, Selection

PREFIXES = ("/api/v2/", "/api/spot/v1/", "/api/mix/v1/")
CANDLES = {
    "/api/v2/spot/market/candles": (SPOT, recent),
    "/api/v2/spot/market/history-candles": (SPOT, history),
    "/api/v2/mix/market/candles": (MIX, recent),
    "/api/v2/mix/market/history-candles": (MIX, history),
    "/api/v2/mix/market/history-mark-candles": (PRICES["mark"], history),
    "/api/v2/mix/market/history-index-candles": (PRICES["index"], history),
}
MESSAGES = {
    429: ("429", "Too Many Requests"),
    500: ("40725", "service return an error"),
    503: ("40200", "Server upgrade, please try again later"),
}
"""Code and text of statuses without a parameter error; other ones come as HTML from the edge."""

UNLIMITED = BitgetRules(each=None, all=None)

Select = Callable[[Mapping[str, str], Family, Grid, Archive], Selection | None]


class Bitget:
    """Bitget's single host over its archives by market kind."""

    def __init__(self, archives: Mapping[str, Archive], options: Options) -> None:
        self._archives = archives
        self._clock, self._faults = archives["spot"].clock, archives["spot"].faults
        self._limits = BitgetLimits(self._rules if options.limited else lambda: UNLIMITED, self._clock)
        self._pages = {kind: Pages(archive, options.cached_chunks) for kind, archive in archives.items()}
        self._lists: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "/api/v2/public/time": lambda _: {"serverTime": str(self._clock.now())},
            "/api/v2/spot/public/symbols": lambda params: symbols(params, archives["spot"]),
            "/api/v2/mix/market/contracts": lambda params: contracts(params, archives["perpetual"]),
            "/api/v2/spot/market/tickers": lambda params: spot_tickers(params, archives["spot"]),
            "/api/v2/spot/market/orderbook": lambda params: spot_book(params, archives["spot"]),
            "/api/v2/mix/market/ticker": lambda params: mix_ticker(params, archives["perpetual"]),
            "/api/v2/mix/market/merge-depth": lambda params: mix_book(params, archives["perpetual"]),
            "/api/v2/mix/market/history-fund-rate": lambda params: mix_payments(
                params, archives["perpetual"]
            ),
            "/api/v2/mix/market/current-fund-rate": lambda params: mix_funding(params, archives["perpetual"]),
            "/api/v2/margin/currencies": lambda params: margin_pairs(params, archives["spot"]),
        }

    def serves(self, path: str) -> bool:
        """Whether the path is one of the second generation, or of the first that was shut down."""
        return path.startswith(PREFIXES)

    def admit(self, question: Question) -> Admission:
        """Count the request by endpoint and in all, and refuse what goes over a limit with 429."""
        left = self._limits.take(question.path)
        headers = {"x-mbx-used-remain-limit": str(left or 0)}
        return Admission(1, headers, self.failure(429) if left is None else None)

    def answer(self, question: Question) -> Answer:
        """Answer a request that was let pass."""
        try:
            return self._answer(question)
        except Rejected as rejected:
            return self._error(400, rejected.code, rejected.message)

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return Bitget's answer of a status; it sends no `Retry-After` of its own."""
        return failure(status, self._clock.now(), retry_after)

    def _rules(self) -> BitgetRules:
        return self._faults.quirks.bitget

    def _answer(self, question: Question) -> Answer:
        if not question.path.startswith("/api/v2/"):
            raise Rejected("30032", "The V1 API has been decommissioned. Please migrate to a newer version.")
        params = dict(question.params)
        if question.method == "GET" and question.path in CANDLES:
            return self._candles(params, *CANDLES[question.path])
        if question.method == "GET" and question.path in self._lists:
            return json_answer(self._envelope("00000", "success", self._lists[question.path](params)))
        return self._error(404, "40404", "Request URL NOT FOUND")

    def _candles(self, params: Mapping[str, str], family: Family, select: Select) -> Answer:
        if family is MIX:
            family = PRICES.get(params.get("kLineType", ""), MIX)
        archive, faults = self._archives[family.kind], self._faults
        market, grid = _subject(params, family, archive)
        wanted = select(params, family, grid, archive)
        if wanted is None:
            return self._list([])
        if faults.fails(*wanted.reach(market.listed, self._clock.now(), grid.step)):
            return self.failure(500)
        if faults.strikes(faults.outside_rate):
            wanted = wanted.widened(2 * grid.step)
            wanted = closed(wanted, grid, archive) if select is history else wanted
        return self._list(
            faults.disordered(self._pages[family.kind].page(market, grid, wanted, family.render))
        )

    def _list(self, texts: list[bytes]) -> Answer:
        head = f'{{"code":"00000","msg":"success","requestTime":{self._clock.now()},"data":['
        return Answer(200, head.encode() + b",".join(texts) + b"]}")

    def _envelope(self, code: str, message: str, data: Any) -> dict[str, Any]:
        return {"code": code, "msg": message, "requestTime": self._clock.now(), "data": data}

    def _error(self, status: int, code: str, message: str) -> Answer:
        return json_answer(self._envelope(code, message, None), status)


def failure(status: int, now: int, retry_after: int | None = None) -> Answer:
    """Return Bitget's answer of a status at a moment (ms UTC)."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if status not in MESSAGES:
        return replace(html_answer(status, f"{status} {HTTPStatus(status).phrase}"), headers=headers)
    code, message = MESSAGES[status]
    return json_answer({"code": code, "msg": message, "requestTime": now, "data": None}, status, headers)


def _subject(params: Mapping[str, str], family: Family, archive: Archive) -> tuple[Market, Grid]:
    """Return what candles are asked of."""
    require(params, "symbol", *family.needed, "granularity")
    if family.needed and product_type_of(params["productType"]) != "USDT-FUTURES":
        raise unknown(params["symbol"])
    market = market_of(params["symbol"], archive)
    grid = family.grids.get(params["granularity"])
    if grid is None:
        text = f"Parameter verification failed k-line time range should be {family.spelled}"
        raise Rejected("400171", text)
    return market, grid


def bitget(archives: Mapping[str, Archive], options: Options) -> Sequence[Venue]:
    """Return Bitget's one interface over its archives."""
    return [Bitget(archives, options)]
