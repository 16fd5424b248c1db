"""Bitget's private interface: the classic account (v2) and the unified one (v3) behind one address.

Source: https://www.bitget.com/api-doc/common/intro and the pages that the modules beside this one name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.answers import Admission, Answer, Question, json_answer
from tests.simulator.bitget import failure
from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.private import bitget_mix, bitget_placing, bitget_spot, bitget_unified
from tests.simulator.private.accounts import Account, Accounts, Asked, Buckets, Refused, Tell
from tests.simulator.private.placing import Instead
from tests.simulator.private.signatures import bitget_account

V3 = "/api/v3/"
ROUTES: Mapping[str, tuple[Tell, int]] = {
    **bitget_mix.ROUTES,
    **bitget_spot.ROUTES,
    **bitget_unified.ROUTES,
}
CHANGES = bitget_placing.ROUTES
CLASSIC_ONLY = "You are in Unified Account mode, and the Classic Account API is not supported at this time"
UNIFIED_ONLY = "You are in Classic Account mode, and the Unified Account API is not supported at this time"


def _route(path: str) -> tuple[Tell, int]:
    return ROUTES.get(path) or CHANGES[path]


@dataclass(slots=True)
class PrivateBitget:
    """What accounts are told; questions that need no key are another interface's."""

    accounts: Accounts
    clock: SimulatorClock
    faults: Faults
    buckets: Buckets

    def serves(self, path: str) -> bool:
        """Whether a path is private."""
        return path in ROUTES or path in CHANGES

    def admit(self, question: Question) -> Admission:
        """Check who asks, then how often."""
        try:
            account = self._account(question)
        except Refused as refused:
            return Admission(1, {}, self._error(refused))
        left = self.buckets.take(account.keys.key, question.path, _route(question.path)[1])
        headers = {"x-mbx-used-remain-limit": str(left or 0)}
        return Admission(1, headers, self.failure(429) if left is None else None)

    def answer(self, question: Question) -> Answer:
        """Answer a question that was let pass."""
        private, now = self.faults.private, self.clock.now()
        account = self.accounts[question.headers["access-key"]]
        if coded := private.take_code(question.path):
            return self._error(Refused(coded.code, coded.message))
        private.go_on(question.path, account.book, now)
        params = dict(json.loads(question.body)) if question.body else dict(question.params)
        asked = Asked(account, question.path, params, now, self.faults)
        try:
            data = _route(question.path)[0](asked)
        except Refused as refused:
            return self._error(refused)
        except Instead as instead:
            return instead.answer
        return json_answer(self._envelope("00000", "success", data))

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return Bitget's answer of a status."""
        return failure(status, self.clock.now(), retry_after)

    def _account(self, question: Question) -> Account:
        account = bitget_account(question, self.accounts, self.clock.now(), self.clock.speed)
        facts, unified = account.book.facts, question.path.startswith(V3)
        changes = question.path in CHANGES
        if question.method != ("POST" if changes else "GET"):
            raise Refused("40404", "Request URL NOT FOUND", 404)
        if facts.unified and not unified:
            raise Refused("40085", CLASSIC_ONLY)
        if unified and not facts.unified:
            raise Refused("40084", UNIFIED_ONLY)
        if ("trade" if changes else "read") not in facts.rights:
            raise Refused("40014", "Incorrect permissions")
        return account

    def _error(self, refused: Refused) -> Answer:
        return json_answer(self._envelope(refused.code, refused.message, None), refused.status)

    def _envelope(self, code: str, message: str, data: Any) -> dict[str, Any]:
        return {"code": code, "msg": message, "requestTime": self.clock.now(), "data": data}
