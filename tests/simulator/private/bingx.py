"""BingX's private interface, and its demo host as the same paths below `/vst`.

Source: https://bingx-api.github.io/docs-v3. Refusals come with HTTP 200 and a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.simulator import bingx_answers
from tests.simulator.answers import Admission, Answer, Question, json_answer
from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.private import bingx_perpetual, bingx_placing, bingx_spot
from tests.simulator.private.accounts import Accounts, Asked, Buckets, Refused, Tell
from tests.simulator.private.placing import Instead
from tests.simulator.private.signatures import bingx_account, bingx_params
from tests.simulator.private.sockets import LISTEN_KEY

DEMO = "/vst"
TIME = "/openApi/swap/v2/server/time"
ROUTES: Mapping[str, tuple[Tell, int, int]] = {
    **bingx_perpetual.ROUTES,
    **bingx_spot.ROUTES,
    **bingx_placing.READS,
}
PATHS = {*ROUTES, *(path for _, path in bingx_placing.ROUTES)}


def _route(question: Question) -> tuple[Tell, int, int] | None:
    if question.method == "GET":
        return ROUTES.get(question.path)
    return bingx_placing.ROUTES.get((question.method, question.path))


@dataclass(slots=True)
class PrivateBingx:
    """What accounts are told: those of the demo host, or of the other one."""

    accounts: Accounts
    clock: SimulatorClock
    faults: Faults
    buckets: Buckets
    demo: bool = False

    def serves(self, path: str) -> bool:
        """Whether a path is private, or the demo host's."""
        return path.startswith(f"{DEMO}/") if self.demo else path in PATHS

    def admit(self, question: Question) -> Admission:
        """Check who asks, then how often."""
        question = self._own(question)
        if question.path not in PATHS:
            return Admission(1, {})
        route = _route(question)
        changes = question.method != "GET" and question.path != LISTEN_KEY
        try:
            account = bingx_account(question, self._accounts(), self.clock.now(), self.clock.speed)
            if route is None:
                raise Refused("100400", bingx_answers.MESSAGES[100400])
            if ("trade" if changes else "read") not in account.book.facts.rights:
                raise Refused(
                    "100004", "Permission denied as the API key was not created with the permission"
                )
        except Refused as refused:
            return Admission(1, {}, self._error(refused))
        assert route is not None
        _, of_account, of_address = route
        left = [
            self.buckets.take(owner, f"{question.method} {question.path}", limit)
            for owner, limit in ((account.keys.key, of_account), ("address", of_address))
        ]
        return Admission(1, {}, bingx_answers.refusal(200) if None in left else None)

    def answer(self, question: Question) -> Answer:
        """Answer a question that was let pass."""
        question, now = self._own(question), self.clock.now()
        if question.path == TIME:
            return bingx_answers.success({"serverTime": now})
        if (route := _route(question)) is None:
            return bingx_answers.no_route()
        private = self.faults.private
        account = self._accounts()[question.headers["x-bx-apikey"]]
        if coded := private.take_code(question.path):
            return self._error(Refused(coded.code, coded.message))
        private.go_on(question.path, account.book, now)
        asked = Asked(account, question.path, bingx_params(question), now, self.faults)
        try:
            data = route[0](asked)
        except Refused as refused:
            return self._error(refused)
        except Instead as instead:
            return instead.answer
        return bingx_answers.success(data)

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return BingX's answer of a status."""
        return bingx_answers.failure(status, retry_after)

    def _own(self, question: Question) -> Question:
        return replace(question, path=question.path.removeprefix(DEMO)) if self.demo else question

    def _accounts(self) -> Accounts:
        return {key: account for key, account in self.accounts.items() if account.demo is self.demo}

    def _error(self, refused: Refused) -> Answer:
        return json_answer(
            {
                "code": int(refused.code),
                "msg": refused.message,
                "success": False,
                "timestamp": self.clock.now(),
            }
        )
