"""What Binance's interfaces have in common: weights, refusals, the envelope of errors, pages of klines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, NamedTuple

from tests.simulator.answers import Admission, Answer, Question, html_answer, json_answer
from tests.simulator.archive import Archive
from tests.simulator.binance_params import Rejected
from tests.simulator.intervals import Grid
from tests.simulator.markets import Market
from tests.simulator.pages import Pages, Render, Selection
from tests.simulator.weights import Policy, Refusal, WeightCounter

MESSAGES = {
    408: (-1007, "Timeout waiting for response from backend server. Send status unknown."),
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


class Asked(NamedTuple):
    """What a request for klines asks for, and how its rows are printed."""

    market: Market
    grid: Grid
    wanted: Selection
    render: Render


@dataclass(frozen=True, slots=True)
class Facts:
    """In what the interfaces differ.

    `default_limit` is the weight of a minute; `too_much` and `banned` are the refusals' texts, with
    `{limit}` and `{until}` (ms UTC); `asked` reads a request for klines, `payloads` answer the other paths
    (name -> JSON value, given the question, the archive and the weight limit in force).
    """

    prefix: str
    default_limit: int
    too_much: str
    banned: str
    weight: Callable[[Question], int]
    asked: Callable[[Question, Archive], Asked]
    payloads: Mapping[str, Callable[[Question, Archive, int | None], Any]] = field(default_factory=dict)


class Binance:
    """One interface of Binance over the archive of its markets."""

    def __init__(
        self,
        facts: Facts,
        archive: Archive,
        policy: Policy,
        cached_chunks: int,
        prices: Mapping[str, Archive] | None = None,
    ) -> None:
        self._facts = facts
        self._archive = archive
        self._policy = policy
        self._counter = WeightCounter(policy, archive.clock)
        self._series = {
            name: (of, Pages(of, cached_chunks)) for name, of in {"klines": archive, **(prices or {})}.items()
        }
        """Archives of candles by the last part of their path: of trades, of other prices."""

    def serves(self, path: str) -> bool:
        """Whether the path belongs to the interface."""
        return path.startswith(self._facts.prefix)

    def admit(self, question: Question) -> Admission:
        """Count the weight by the minute and refuse what goes over it, with 429 and then 418."""
        weight = self._facts.weight(question)
        refusal = self._counter.take(weight)
        used = str(self._counter.used)
        headers = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        return Admission(weight, headers, self._refused(refusal) if refusal else None)

    def answer(self, question: Question) -> Answer:
        """Answer a request that was let pass."""
        name = question.path.removeprefix(self._facts.prefix)
        if question.method != "GET" or (name not in self._series and name not in self._facts.payloads):
            return _not_found(question)
        try:
            if name in self._series:
                return self._klines(question, *self._series[name])
            return json_answer(self._facts.payloads[name](question, self._archive, self._policy.limit))
        except Rejected as rejected:
            return _error(400, rejected.code, rejected.message)

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return Binance's answer of a status: JSON from the exchange itself, HTML from what stands before
        it."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 429:
            return _error(429, -1003, self._too_much(), headers)
        if status == 418:
            until = self._archive.clock.now() + (retry_after or 120) * 1000
            return _error(418, -1003, self._facts.banned.format(until=until), headers)
        if status in MESSAGES:
            return _error(status, *MESSAGES[status], headers)
        return replace(html_answer(status, _title(status)), headers=headers)

    def _refused(self, refusal: Refusal) -> Answer:
        headers = {"Retry-After": str(refusal.retry_after)}
        if refusal.banned_until is None:
            return _error(429, -1003, self._too_much(), headers)
        return _error(418, -1003, self._facts.banned.format(until=refusal.banned_until), headers)

    def _too_much(self) -> str:
        return self._facts.too_much.format(limit=self._policy.limit or self._facts.default_limit)

    def _klines(self, question: Question, archive: Archive, pages: Pages) -> Answer:
        market, grid, wanted, render = self._facts.asked(question, archive)
        faults = self._archive.faults
        if faults.fails(*wanted.reach(market.listed, self._archive.clock.now(), grid.step)):
            return self.failure(500)
        if faults.strikes(faults.outside_rate):
            wanted = wanted.widened(2 * grid.step)
        texts = faults.disordered(pages.page(market, grid, wanted, render))
        return Answer(200, b"[" + b",".join(texts) + b"]")


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
