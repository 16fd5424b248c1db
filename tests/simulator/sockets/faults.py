"""What may go wrong with sockets, and how fast their frames and heartbeats come."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tests.simulator.times import DAY


@dataclass(slots=True)
class SocketFaults:
    """Switches of the sockets; change the attributes at any time. Symbols are neutral ones, times simulated
    ms.

    Rates are probabilities per frame of a candle and connection. `cut_rate` resets the connection;
    `drop_rate` leaves a frame out, `drop_closing_rate` only a candle's last one; `duplicate_rate` sends it
    twice; `unordered_rate` after the following one of its topic; `late_rate` up to `late` ms after the next
    candle's first one, which is never late itself; `torn_rate` sends half of it; `wrong_topic_rate` sends one
    more, of a symbol that was not asked for.

    `silence` keeps connections open and sends nothing at all; `mute` are symbols without frames. `refuse` are
    symbols that nobody may subscribe to; with `leak` BingX sends one frame of what it refuses.
    `handshake_status` is answered instead of the upgrade. `ignore_pings` leaves the client's pings
    unanswered.

    `frames_per_minute` takes the place of the venue's cadence and `closing_lag` that of its delay between a
    candle's end and its last frame. `heartbeat` multiplies the times of heartbeats, None switches pings and
    cuts off. Binance closes connections that are `life` ms old (None: never) and says so `notice` ms before.
    """

    cut_rate: float = 0.0
    drop_rate: float = 0.0
    drop_closing_rate: float = 0.0
    duplicate_rate: float = 0.0
    unordered_rate: float = 0.0
    late_rate: float = 0.0
    late: int = 430
    torn_rate: float = 0.0
    wrong_topic_rate: float = 0.0
    silence: bool = False
    mute: AbstractSet[str] = frozenset()
    refuse: AbstractSet[str] = frozenset()
    leak: bool = False
    handshake_status: int | None = None
    ignore_pings: bool = False
    frames_per_minute: int | None = None
    closing_lag: int | None = None
    heartbeat: float | None = 1.0
    life: int | None = DAY
    notice: int = 0
