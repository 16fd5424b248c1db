"""The order in which alarms of a strategy and a market are carried out: by the positions that they tell.

Alarms of one bar may come in any order. Each tells the position before it and after it, so it fits behind
exactly one other. An alarm that fits behind nothing waits a while for the one that is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from backend.trading.alarms.signal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An alarm that is not carried out yet, received at `received` (ms)."""

    id: str
    signal: Signal
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The alarm to carry out; `is_missing` where one before it never came. None: wait until `until` (ms)."""

    waiting: Waiting | None
    is_missing: bool = False
    until: int = 0


def next_of(waiting: Sequence[Waiting], reached: Decimal | None, now: int, link_wait: int) -> Next:
    """What is next, where the sender's position is `reached` by the alarm before; None where none was."""
    in_time = sorted(waiting, key=_moment)
    for one in in_time:
        if _fits(one.signal, reached, in_time):
            return Next(waiting=one)
    oldest = min(in_time, key=lambda one: one.received)
    until = oldest.received + link_wait
    if now < until:
        return Next(waiting=None, until=until)
    return Next(waiting=in_time[0], is_missing=True)


def _fits(signal: Signal, reached: Decimal | None, others: Sequence[Waiting]) -> bool:
    if signal.before is None:
        return True
    if reached is not None:
        return signal.before == reached
    # Nothing is known yet: the first is the one that follows none of the others.
    return not any(one.signal.after == signal.before for one in others if one.signal is not signal) and (
        not signal.before
    )


def _moment(one: Waiting) -> tuple[int, int, int]:
    signal = one.signal
    return signal.bar_time or 0, signal.fired_at or 0, one.received
