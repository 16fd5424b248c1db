"""BingX's REST interface under `/openApi/`: spot, perpetual swaps, and coin-M as far as listings need it.

Source: https://bingx-api.github.io/docs-v3. No call here needs a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.simulator import bingx_answers
from tests.simulator.answers import Admission, Answer, Options, Question, Venue, json_answer
from tests.simulator.archive import Archive
from tests.simulator.bingx_limits import WindowCounter
from tests.simulator.bingx_spot import BingxSpot
from tests.simulator.bingx_swap import BingxSwap
from tests.simulator.markets import MARK


class Bingx:
    """All endpoints behind one address, which count one caller's requests together."""

    def __init__(self, archives: Mapping[str, Archive], options: Options) -> None:
        self._clock = archives["spot"].clock
        faults = archives["spot"].faults
        self._counter = WindowCounter(lambda: faults.quirks.bingx, self._clock, limited=options.limited)
        self._routes: dict[str, Callable[[Question], Answer]] = {
            **BingxSpot(archives["spot"], options.cached_chunks).routes(),
            **BingxSwap(archives["perpetual"], archives[MARK], options.cached_chunks).routes(),
            "/openApi/cswap/v1/market/contracts": self._coin_contracts,
        }

    def serves(self, path: str) -> bool:
        """Whether the path is one of BingX."""
        return path.startswith("/openApi/")

    def admit(self, question: Question) -> Admission:
        """Count the request in its endpoint's window and refuse what goes over it."""
        verdict = self._counter.take(question.path)
        refusal = bingx_answers.refusal(verdict.refused) if verdict.refused else None
        return Admission(1, verdict.headers, refusal)

    def answer(self, question: Question) -> Answer:
        """Answer a request that was let pass."""
        route = self._routes.get(question.path)
        if route is None or question.method != "GET":
            return bingx_answers.no_route()
        return route(question)

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return BingX's answer of a status or, from 1000 on, of one of its codes."""
        return bingx_answers.failure(status, retry_after)

    def _coin_contracts(self, question: Question) -> Answer:
        """List no coin-M contract: none is imitated. Alone of the public calls it insists on a timestamp."""
        if "timestamp" not in dict(question.params):
            return json_answer({"code": 104414, "msg": "Invalid parameter", "retryable": 0}, 400)
        return bingx_answers.success([], timestamp=self._clock.now())


def bingx(archives: Mapping[str, Archive], options: Options) -> Sequence[Venue]:
    """Return BingX's interface over its archives."""
    return [Bingx(archives, options)]
