"""What a venue knows of a connection: its topics, its counts, how it is to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulator.archive import Archive
from tests.simulator.bitget_limits import Window
from tests.simulator.clock import SimulatorClock
from tests.simulator.intervals import MINUTES, Grid
from tests.simulator.markets import Market
from tests.simulator.sockets.faults import SocketFaults

Payload = str | bytes
"""A message: text, or bytes for a binary one."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a connection asked for: the name as the venue spells it and the candle it stands for.

    Without a market it is acknowledged and stays silent.
    """

    name: str
    market: Market | None = None
    kind: str = ""
    interval: str = ""
    grid: Grid = MINUTES


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends: a close code and reason, or a cut without any."""

    code: int | None = None
    reason: str = ""


@dataclass(slots=True)
class Session:
    """What a venue knows of a connection.

    `alive` is when the client last gave a sign of life (ms UTC); `ending` is set to end the connection after
    what is still to be sent; `leaks` are topics of which one frame is sent and no more.
    """

    archives: Mapping[str, Archive]
    limited: bool = True
    path: str = ""
    streams: str = ""
    alive: int = 0
    topics: dict[str, Topic] = field(default_factory=dict)
    leaks: list[Topic] = field(default_factory=list)
    combined: bool = False
    ending: Ending | None = None
    _windows: dict[str, Window] = field(default_factory=dict)

    @property
    def clock(self) -> SimulatorClock:
        """The exchange's clock."""
        return self.archives["spot"].clock

    @property
    def faults(self) -> SocketFaults:
        """The switches of sockets."""
        return self.archives["spot"].faults.sockets

    def exceeds(self, what: str, limit: int, length: int) -> bool:
        """Count one of `what` and say whether there are more than the limit in this stretch of `length`
        ms."""
        used = self._windows.setdefault(what, Window(length)).take(self.clock.now())
        return self.limited and used > limit

    def join(self, topic: Topic, most: int) -> bool:
        """Subscribe to a topic; False where the connection has as many as it may."""
        if self.limited and topic.name not in self.topics and len(self.topics) >= most:
            return False
        self.topics[topic.name] = topic
        return True

    def refuses(self, market: Market | None) -> bool:
        """Whether a fault has the market refused."""
        return market is not None and market.symbol in self.faults.refuse
