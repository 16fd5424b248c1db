"""What the use cases of alarms need of stores, as shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from backend.trading.alarms.alarm import Alarm, AlarmState
from backend.trading.alarms.replay import ReplayRun
from backend.trading.alarms.strategy import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsWanted:
    """Which alarms; None means: any. Newest first, from `before` (the time and id of another)."""

    strategy: str | None = None
    ticker: str | None = None
    state: AlarmState | None = None
    start: int | None = None
    end: int | None = None
    before: tuple[int, str] | None = None


class Reached(NamedTuple):
    """How far the alarms of a strategy are in a lane: the sender's position after the last one that was
    decided, None if it told none, the moment (ms) at which that one was sent, and its number."""

    position: Decimal | None
    fired_at: int | None
    decided: int


class AlarmStore(Protocol):
    """Where alarms are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, alarm: Alarm) -> bool:
        """Store an alarm durably; False if one with its id is there: then it counts the delivery."""

    async def repeated(self, alarm_id: str, since: int) -> str | None:
        """The id of an alarm like this one that came after the moment `since` (ms); it counts the
        delivery."""

    async def load(self, alarm_id: str) -> Alarm | None:
        """An alarm; None if there is none."""

    async def list(self, wanted: AlarmsWanted, limit: int) -> Sequence[Alarm]:
        """Alarms, newest first."""

    async def change(self, alarm: Alarm, after: Alarm) -> bool:
        """Put a new state in place of exactly this one, durably; False if it has changed."""

    async def lanes(self, now: int) -> Sequence[str]:
        """The lanes with an alarm whose time has come."""

    async def open(self, lane: str) -> Sequence[Alarm]:
        """Alarms of a lane with something still to do, the oldest first."""

    async def oldest_open(self) -> int | None:
        """The time (ms) of the oldest alarm with something still to do."""

    async def enter(self, lane: str, owner: str, now: int, until: int) -> bool:
        """Take a lane until a moment (ms); False if another process has it."""

    async def leave(self, lane: str, owner: str) -> None:
        """Give a lane back."""

    async def reached(self, lane: str, strategy: str) -> Reached | None:
        """How far the alarms of a strategy are; None if none was decided yet."""


class ReplayStore(Protocol):
    """Where replays are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, run: ReplayRun) -> None:
        """Store a new one."""

    async def load(self, run_id: str) -> ReplayRun | None:
        """One of them; None if there is none."""

    async def newest(self, limit: int, strategy: str) -> Sequence[ReplayRun]:
        """The newest, of one strategy or of all ("")."""

    async def waiting(self) -> int:
        """How many are not over."""

    async def claim(self, holder: str, now: int, until: int) -> ReplayRun | None:
        """Give the oldest one that is not over, and that nobody holds at `now` (ms), to `holder`."""

    async def renew(self, run_id: str, holder: str, until: int) -> bool:
        """Hold it for longer; False if it is over, or another's."""

    async def report(self, run: ReplayRun) -> bool:
        """Store how far it is, or its result; False if it is over, or another's."""

    async def cancel(self, run_id: str) -> ReplayRun | None:
        """End one that is not over; None if there is no such."""

    async def release(self, holder: str) -> None:
        """Let others have at once what `holder` holds: it was not begun in vain."""


class StrategyStore(Protocol):
    """Where strategies are kept, each revision for ever. Every call may raise DatabaseUnavailable."""

    async def put(self, strategy: Strategy) -> bool:
        """Store a revision durably; False if that revision is there already."""

    async def load(self, strategy_id: str, revision: int | None = None) -> Strategy | None:
        """A strategy, or an earlier revision of it."""

    async def by_token(self, digest: str) -> Strategy | None:
        """The strategy with this token."""

    async def all(self) -> Sequence[Strategy]:
        """The present revision of each, by id."""

    async def revisions(self, strategy_id: str) -> Sequence[Strategy]:
        """All revisions of one, newest first."""

    async def remove(self, strategy_id: str) -> bool:
        """Take a strategy out of use; its revisions stay. False if there is none."""
