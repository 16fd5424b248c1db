"""Misbehaviour that a test can switch on and off while the simulator runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

from tests.simulator.answers import Answer, html_answer, json_answer
from tests.simulator.archive_faults import ArchiveFaults
from tests.simulator.lies import Lie
from tests.simulator.private.faults import PrivateFaults
from tests.simulator.quirks import Quirks
from tests.simulator.rows import Row
from tests.simulator.sockets.faults import SocketFaults
from tests.simulator.times import Window

T = TypeVar("T")


@dataclass(slots=True)
class Forced:
    """Answer the next `count` requests with a status, and `Retry-After: retry_after` (s) where it is
    given.

    `body` is a JSON value to send as it is; None for what the exchange itself sends with the status.
    """

    status: int
    count: int = 1
    retry_after: int | None = None
    body: Any = None

    def verbatim(self) -> Answer | None:
        """Return the answer with the given body, None where none is given."""
        if self.body is None:
            return None
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return json_answer(self.body, self.status, headers)


@dataclass(slots=True)
class Faults:
    """Switches of misbehaviour; change the attributes at any time.

    Rates are probabilities per request, drawn from a generator that `reseed` restarts. `latency` and
    `jitter` are real seconds (jitter is added evenly between 0 and itself). `page_cap` is a page size
    below the documented one. `unlisted` are symbols that lists leave out though their candles are served,
    `refused` are symbols that Binance's API does not know any more though its public archive does.
    `failing` are windows (ms UTC, half-open) whose candles always answer 500. In `outages` the exchange has
    no candles. `revisions` maps (symbol, open time) to the fields of `Row` that changed after the candle
    closed. `hang_seconds` ends a hanging answer by itself, None leaves it until `release`. `archive` holds
    the switches of Binance's public archive, `sockets` those of all sockets, `private` those
    of answers to accounts. `lie` is one plausible answer
    that is not true. `quirks` are no faults, but what the documents leave open.
    """

    latency: float = 0.0
    jitter: float = 0.0
    page_cap: int | None = None
    error_rate: float = 0.0
    error_statuses: list[int] = field(default_factory=lambda: [500, 502, 503, 504])
    reset_rate: float = 0.0
    hang_rate: float = 0.0
    hang_seconds: float | None = None
    garbage_rate: float = 0.0
    garbage_kinds: list[str] = field(default_factory=lambda: ["html", "truncated", "empty"])
    unordered_rate: float = 0.0
    duplicate_rate: float = 0.0
    outside_rate: float = 0.0
    unlisted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failing: list[Window] = field(default_factory=list)
    outages: list[Window] = field(default_factory=list)
    revisions: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    forced: Forced | None = None
    lie: Lie | None = None
    archive: ArchiveFaults = field(default_factory=ArchiveFaults)
    sockets: SocketFaults = field(default_factory=SocketFaults)
    private: PrivateFaults = field(default_factory=PrivateFaults)
    quirks: Quirks = field(default_factory=Quirks)
    hanging: int = 0
    random: Random = field(default_factory=lambda: Random(0), repr=False, compare=False)
    _released: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)

    def reseed(self, seed: int) -> None:
        """Restart the random draws from a seed."""
        self.random = Random(seed)

    def strikes(self, rate: float) -> bool:
        """Draw whether a fault of this rate happens now; a rate of zero draws nothing."""
        return rate > 0 and self.random.random() < rate

    def delay(self) -> float:
        """Return the seconds to wait before the next answer."""
        return self.latency + (self.random.random() * self.jitter if self.jitter else 0.0)

    def take_forced(self) -> Forced | None:
        """Return the forced answer if one is due, and count it."""
        forced = self.forced
        if forced is None or forced.count <= 0:
            return None
        forced.count -= 1
        return forced

    async def hang(self) -> None:
        """Wait for `release`, or for `hang_seconds`; `hanging` counts those who wait."""
        self.hanging += 1
        try:
            await asyncio.wait_for(self._released.wait(), self.hang_seconds)
        except TimeoutError:
            return
        finally:
            self.hanging -= 1

    def release(self) -> None:
        """Let every hanging answer go on; later ones may hang again."""
        self._released.set()
        self._released = asyncio.Event()

    def garbled(self, answer: Answer) -> Answer:
        """Return the answer with a body that is not what it says: a page, half of it, or nothing."""
        match self.random.choice(self.garbage_kinds):
            case "html":
                return html_answer(answer.status, "Welcome to nginx!")
            case "truncated":
                return replace(answer, body=answer.body[: len(answer.body) // 2])
            case _:
                return replace(answer, body=b"")

    def fails(self, start: int, end: int) -> bool:
        """Whether a request for open times from start to end (ms UTC, both included) touches a failing
        window."""
        return any(
            start < failing_end and failing_start <= end for failing_start, failing_end in self.failing
        )

    def is_absent(self, row: Row) -> bool:
        """Whether the minute lies in an outage, or is empty where empty ones do not exist."""
        if self.quirks.omit_empty and not float(row.volume):
            return True
        return any(start <= row.open_time < end for start, end in self.outages)

    def change(self, symbol: str, start: int, end: int) -> bool:
        """Whether an outage, a revision or a quirk may touch the symbol's minutes in [start, end), ms
        UTC."""
        if self.quirks.omit_empty:
            return True
        if any(start < outage_end and outage_start < end for outage_start, outage_end in self.outages):
            return True
        return any(name == symbol and start <= instant < end for name, instant in self.revisions)

    def applied(self, symbol: str, row: Row) -> Row:
        """Return the one-minute candle with its revision, if it has one."""
        revision = self.revisions.get((symbol, row.open_time))
        return row if revision is None else row._replace(**revision)

    def disordered(self, rows: list[T]) -> list[T]:
        """Return a page's rows with repeats and out of order, as the rates have it."""
        page = list(rows)
        if page and self.strikes(self.duplicate_rate):
            page.extend(self.random.choices(page, k=1 + len(page) // 10))
        if self.strikes(self.unordered_rate):
            self.random.shuffle(page)
        return page
