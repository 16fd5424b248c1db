"""What a venue's socket is: facts as fields, its messages and frames as functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator.markets import Market
from tests.simulator.rows import Row
from tests.simulator.sockets.session import Ending, Payload, Session, Topic


@dataclass(frozen=True, slots=True)
class Shown:
    """A candle's state at an instant; `following` is the open time of the next candle (both ms UTC)."""

    row: Row
    instant: int
    following: int
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Signs of life, in ms.

    The server pings `every` so often (None: never) with what `ping` makes of the instant. The client is
    gone when it is silent for `within`, counted from the first unanswered ping where `from_ping`, else from
    its last sign of life.
    """

    every: int | None
    within: int
    from_ping: bool = False
    ping: Callable[[int], Payload] | None = None
    ending: Ending = Ending()


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what the venues' sockets differ.

    `exchange` names whose archives it shows. `opened` reads what the address asks for, `heard` takes a
    message and returns the replies, `overrun` returns them where there are too many messages, else None.
    `printed` renders a frame, `wrapped` is what a combined connection makes of it, `topic` names a market's
    topic after the model of another topic, `farewell` announces the end. `cadence` and `closing_lag` are ms.
    `opens_with_state` pushes the candle at once when a topic is subscribed to. `pushes_empty` sends a candle
    without trades when it opens, otherwise it is sent when it closes. `attempts` in five minutes and open
    `connections` are what an address may have (None: any).
    """

    name: str
    exchange: str
    serves: Callable[[str], bool]
    heard: Callable[[str, Session], list[Payload]]
    printed: Callable[[Topic, Shown], Payload]
    topic: Callable[[Market, Topic], Topic]
    cadence: int
    closing_lag: int
    heartbeat: Heartbeat
    opened: Callable[[Session], None] = lambda _: None
    overrun: Callable[[Session], list[Payload] | None] = lambda _: None
    wrapped: Callable[[Topic, Payload], Payload] = lambda _, payload: payload
    farewell: Callable[[Session], Payload] | None = None
    opens_with_state: bool = True
    pushes_empty: bool = True
    attempts: int | None = None
    connections: int | None = None
