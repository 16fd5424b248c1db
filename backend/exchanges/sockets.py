"""The type of a venue's candle socket: a value. Facts are fields; reading and writing frames is pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from backend.core.candles import Candle


class Push(NamedTuple):
    """The newest state of a topic's candle. `closed` if the venue says that it is final."""

    topic: str
    candle: Candle
    closed: bool


class RefusedTopics(NamedTuple):
    """The venue does not serve `topic`; None for an error that names none, perhaps our message's number."""

    topic: str | None
    message: str
    number: int | None = None


class Reply(NamedTuple):
    """The venue expects a sign of life: send `text` at once."""

    text: str


class Farewell(NamedTuple):
    """The venue is about to close the connection."""

    reason: str


Event: TypeAlias = Push | RefusedTopics | Reply | Farewell


@dataclass(frozen=True, slots=True)
class Socket:
    """The candle socket of one market.

    `path` is below the base URL. `topic` names the candles of a symbol, which is in the venue's own spelling.
    `subscribe` and `unsubscribe` write the message number `number` of a connection for some topics, at most
    `topics_per_message`. `read` returns the events in a frame, none for unimportant frames, and raises
    MalformedAnswer.

    Seconds: `ping` is the text that the venue wants to hear every `ping_every`; `heartbeat` is how often to
    send a protocol ping, for venues that would be silent otherwise; after `quiet_after` without a frame the
    connection is dead; one that is `life` old is renewed. `messages_per_second` counts what we send on one
    connection, `attempts_per_minute` the connections of this market that an address may open.
    """

    base_url: str
    url_setting: str
    path: str
    topic: Callable[[str], str]
    subscribe: Callable[[Sequence[str], int], str]
    unsubscribe: Callable[[Sequence[str], int], str]
    read: Callable[[str | bytes], Sequence[Event]]
    topics_per_connection: int
    topics_per_message: int
    messages_per_second: int
    attempts_per_minute: int
    ping: str = ""
    ping_every: float = 0.0
    heartbeat: float | None = None
    quiet_after: float | None = None
    life: float = 23 * 3600.0
