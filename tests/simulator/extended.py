"""Extended's REST interface under `/api/v1/info`: candles, markets, assets. It has no endpoint for its clock.

Source: https://api.docs.extended.exchange. Every request needs a `User-Agent`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from tests.simulator import extended_answers
from tests.simulator.answers import Admission, Answer, Options, Question, Venue
from tests.simulator.archive import Archive
from tests.simulator.extended_answers import Rejected, rejected, success
from tests.simulator.extended_candles import ExtendedCandles
from tests.simulator.extended_info import (
    funding,
    name_of,
    newest_trades,
    order_book,
    shown_assets,
    shown_market,
    statistics,
)
from tests.simulator.markets import INDEX, MARK, Market

ROOT = "/api/v1/info/"


class Extended:
    """The public endpoints over an archive."""

    def __init__(self, archives: Mapping[str, Archive], options: Options) -> None:
        self._archive = archives["perpetual"]
        self._limited = options.limited
        self._candles = {
            word: ExtendedCandles(archives[kind], options.cached_chunks)
            for word, kind in (("trades", "perpetual"), ("mark-prices", MARK), ("index-prices", INDEX))
        }
        self._times: deque[int] = deque()

    def serves(self, path: str) -> bool:
        """Whether the path is one of Extended."""
        return path.startswith(ROOT)

    def admit(self, question: Question) -> Admission:
        """Count the request in the latest minute and refuse it where there are too many; refused ones do not
        count, which is not documented."""
        rules, now = self._archive.faults.quirks.extended, self._archive.clock.now()
        while self._times and self._times[0] <= now - rules.window:
            self._times.popleft()
        if rules.user_agent_required and not question.headers.get("user-agent"):
            return Admission(1, {}, extended_answers.refused(403))
        if self._limited and rules.limit is not None and len(self._times) >= rules.limit:
            return Admission(1, {}, extended_answers.refused(429))
        self._times.append(now)
        return Admission(1, {})

    def answer(self, question: Question) -> Answer:
        """Answer a request that was let pass."""
        try:
            return self._routed(question.path.removeprefix(ROOT).split("/"), question)
        except Rejected as rejection:
            return rejection.answer

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return Extended's answer of a status or, from 1000 on, of one of its codes."""
        return extended_answers.failure(status, retry_after)

    def _routed(self, parts: Sequence[str], question: Question) -> Answer:
        if question.method != "GET":
            return extended_answers.refused(404)
        match parts:
            case ["candles", name, candle_type]:
                if candle_type not in self._candles:
                    return extended_answers.refused(404)
                candles = self._candles[candle_type]
                return candles.answer(self._market(name), candle_type, dict(question.params))
            case ["markets"]:
                return success([shown_market(market, self._archive) for market in self._chosen(question)])
            case ["markets", name, "stats"]:
                return success(statistics(self._market(name), self._archive))
            case ["markets", name, "orderbook"]:
                return success(order_book(self._market(name), self._archive))
            case ["markets", name, "trades"]:
                return success(newest_trades(self._market(name), self._archive))
            case [name, "funding"]:
                return funding(self._market(name), self._archive, dict(question.params))
            case ["assets"]:
                return success(shown_assets(self._listed(), self._archive.clock.now()))
            case _:
                return extended_answers.refused(404)

    def _chosen(self, question: Question) -> list[Market]:
        """Return the markets that `market=A&market=B` names, all of them without it."""
        names = [value for name, value in question.params if name == "market"]
        return [self._market(name) for name in names] or self._archive.named(self._listed())

    def _listed(self) -> list[Market]:
        """Return the markets in US dollars, the only ones here."""
        return [market for market in self._archive.listed() if market.quote == "USD"]

    def _market(self, name: str) -> Market:
        for market in self._listed():
            if name_of(market) == name:
                return market
        raise rejected(1001)


def extended(archives: Mapping[str, Archive], options: Options) -> Sequence[Venue]:
    """Return Extended's interface over its archives."""
    return [Extended(archives, options)]
