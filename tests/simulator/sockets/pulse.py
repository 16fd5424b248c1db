"""Signs of life on a connection: pings that are due, clients that are gone, connections too old."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulator.sockets.dialect import Dialect
from tests.simulator.sockets.session import Ending, Payload, Session


class Ping(bytes):
    """The payload of a protocol ping."""


class Pulse:
    """A connection's heartbeat and age."""

    def __init__(self, dialect: Dialect, session: Session) -> None:
        self._dialect = dialect
        self._session = session
        self._opened = session.alive = session.clock.now()
        self._next_ping = self._opened + self._every()
        self._unanswered: list[bytes] = []
        self._waiting = self._opened
        self._warned = False
        self._jumps = session.clock.jumps

    def answered(self, payload: bytes) -> None:
        """Take a protocol pong; one that echoes no ping is no sign of life."""
        if payload in self._unanswered:
            self._unanswered.clear()

    def step(self, now: int) -> Iterator[Payload | Ending]:
        """Yield what is due at an instant (ms UTC): pings, a farewell, an end."""
        faults, heartbeat = self._session.faults, self._dialect.heartbeat
        if faults.heartbeat is None or faults.silence or self._jumps != self._session.clock.jumps:
            self._forgive(now)
        if faults.heartbeat is not None and now - self._since(now) > heartbeat.within * faults.heartbeat:
            yield heartbeat.ending
        elif heartbeat.ping and heartbeat.every and faults.heartbeat is not None and now >= self._next_ping:
            self._next_ping = now + self._every()
            yield self._ping(heartbeat.ping(now), now)
        yield from self._ageing(now)

    def _every(self) -> int:
        return int((self._dialect.heartbeat.every or 0) * (self._session.faults.heartbeat or 1))

    def _forgive(self, now: int) -> None:
        """Ask for no sign of life from times that nobody lived through."""
        self._jumps = self._session.clock.jumps
        self._session.alive = now
        self._unanswered.clear()
        self._next_ping = min(self._next_ping, now + self._every())

    def _since(self, now: int) -> int:
        """Return since when the client owes a sign of life."""
        if not self._dialect.heartbeat.from_ping:
            return self._session.alive
        return self._waiting if self._unanswered else now

    def _ping(self, payload: Payload, now: int) -> Payload:
        if not self._dialect.heartbeat.from_ping:
            return payload
        assert isinstance(payload, bytes)
        if not self._unanswered:
            self._waiting = now
        self._unanswered.append(payload)
        return Ping(payload)

    def _ageing(self, now: int) -> Iterator[Payload | Ending]:
        """Yield the end of a connection that lived as long as the venue lets it, and the word before."""
        faults, farewell = self._session.faults, self._dialect.farewell
        if farewell is None or faults.life is None:
            return
        left = self._opened + faults.life - now
        if left <= faults.notice and faults.notice and not self._warned:
            self._warned = True
            yield farewell(self._session)
        if left <= 0:
            yield Ending(1001, "Connection is too old")
