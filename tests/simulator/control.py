"""Routes under `/_sim/`, by which another process switches faults and the clock and counts requests.

`GET /_sim/faults`; `POST /_sim/faults` with the fields of `Faults` to change; `POST /_sim/clock` with any of
`now` (ISO or ms), `frozen`, `speed`; `POST /_sim/release` to let hanging answers go on; `GET /_sim/requests`;
`GET /_sim/sockets` for counts of connections and messages; `POST /_sim/cut` to cut all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulator.answers import Answer, json_answer
from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.faults_json import changed, shown
from tests.simulator.requestlog import RequestLog
from tests.simulator.sockets.hub import Hub
from tests.simulator.times import parse_instant


class Control:
    """Answer the control routes; a wrong body gets 400 with a sentence."""

    def __init__(self, clock: SimulatorClock, faults: Faults, log: RequestLog, hub: Hub) -> None:
        self._clock = clock
        self._faults = faults
        self._log = log
        self._hub = hub
        self._routes: dict[tuple[str, str], Callable[[Any], Mapping[str, Any]]] = {
            ("GET", "/_sim/faults"): lambda _: shown(self._faults),
            ("POST", "/_sim/faults"): self._change_faults,
            ("GET", "/_sim/clock"): lambda _: self._clock_state(),
            ("POST", "/_sim/clock"): self._change_clock,
            ("POST", "/_sim/release"): self._release,
            ("GET", "/_sim/requests"): lambda _: self._log.counts(),
            ("GET", "/_sim/sockets"): lambda _: self._hub.counts(),
            ("POST", "/_sim/cut"): self._cut,
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Return the answer of a control route."""
        route = self._routes.get((method, path))
        if route is None:
            return json_answer({"error": f"no control route {method} {path}"}, 404)
        try:
            return json_answer(route(_object(body)))
        except (ValueError, TypeError, KeyError) as error:
            return json_answer({"error": f"bad body for {path}: {error}"}, 400)

    def _change_faults(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        changed(self._faults, changes)
        return shown(self._faults)

    def _change_clock(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        unknown = set(changes) - {"now", "frozen", "speed"}
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}")
        if "now" in changes:
            self._clock.set(parse_instant(changes["now"]))
        if "speed" in changes:
            self._clock.run(float(changes["speed"]))
        if "frozen" in changes:
            self._clock.freeze() if changes["frozen"] else self._clock.run()
        return self._clock_state()

    def _clock_state(self) -> Mapping[str, Any]:
        return {"now": self._clock.now(), "frozen": self._clock.frozen}

    def _release(self, _: Any) -> Mapping[str, Any]:
        self._faults.release()
        return shown(self._faults)

    def _cut(self, _: Any) -> Mapping[str, Any]:
        self._hub.cut()
        return self._hub.counts()


def _object(body: bytes) -> Mapping[str, Any]:
    value = json.loads(body or b"{}")
    if not isinstance(value, dict):
        raise TypeError("expected a JSON object")
    return value
