"""Frames on their way to one connection, and the faults that befall them there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator.faults import Faults
from tests.simulator.sockets.session import Payload


@dataclass(frozen=True, slots=True)
class Frame:
    """A candle's state as it is sent: its topic's name, its open time (ms UTC), whether it is the last
    one."""

    topic: str
    open_time: int
    closing: bool
    payload: Payload


@dataclass(frozen=True, slots=True)
class Ways:
    """What becomes of frames: they are sent, or the connection is cut, or a stray one is asked for."""

    send: Callable[[Payload], None]
    cut: Callable[[], None]
    stray: Callable[[str], Payload | None]


class Delivery:
    """The way to one connection."""

    def __init__(self, faults: Faults, ways: Ways) -> None:
        self._faults = faults
        self._ways = ways
        self._swapped: dict[str, Frame] = {}
        self._late: dict[str, list[Frame]] = {}
        self._scheduled: list[tuple[int, Frame]] = []
        self._newest: dict[str, int] = {}

    def offer(self, frame: Frame, now: int) -> None:
        """Send a frame, or what the faults make of it, at an instant (ms UTC)."""
        faults, strikes = self._faults.sockets, self._faults.strikes
        first = self._newest.get(frame.topic) != frame.open_time
        self._newest[frame.topic] = frame.open_time
        if faults.silence:
            return
        if strikes(faults.cut_rate):
            self._ways.cut()
        elif strikes(faults.drop_rate) or (frame.closing and strikes(faults.drop_closing_rate)):
            return
        elif (frame.closing or not first) and strikes(faults.late_rate):
            self._late.setdefault(frame.topic, []).append(frame)
        elif frame.topic not in self._swapped and strikes(faults.unordered_rate):
            self._swapped[frame.topic] = frame
        else:
            self._put(frame, now)

    def step(self, now: int) -> None:
        """Send the late frames that are due."""
        due = [frame for instant, frame in self._scheduled if instant <= now]
        if due:
            self._scheduled = [(instant, frame) for instant, frame in self._scheduled if instant > now]
        for frame in due:
            self._ways.send(frame.payload)

    def _put(self, frame: Frame, now: int) -> None:
        faults, strikes = self._faults.sockets, self._faults.strikes
        half = len(frame.payload) // 2
        self._ways.send(frame.payload[:half] if strikes(faults.torn_rate) else frame.payload)
        if strikes(faults.duplicate_rate):
            self._ways.send(frame.payload)
        if strikes(faults.wrong_topic_rate) and (stray := self._ways.stray(frame.topic)):
            self._ways.send(stray)
        if swapped := self._swapped.pop(frame.topic, None):
            self._ways.send(swapped.payload)
        self._release_late(frame, now)

    def _release_late(self, frame: Frame, now: int) -> None:
        """Schedule the late frames of earlier candles, now that a newer one was sent."""
        waiting = self._late.pop(frame.topic, None)
        if not waiting:
            return
        old = [late for late in waiting if late.open_time < frame.open_time]
        if len(old) < len(waiting):
            self._late[frame.topic] = [late for late in waiting if late.open_time >= frame.open_time]
        latest = max(1, self._faults.sockets.late)
        self._scheduled += [(now + self._faults.random.randint(1, latest), late) for late in old]
