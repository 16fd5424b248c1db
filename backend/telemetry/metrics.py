"""Counters and timers in a registry of the service's own, and their text for Prometheus.

The code that does the work counts it here. Values that can be read on request are not counted: they are in
the snapshot of `gauges.py`. Every label has few values: markets, budgets, routes, statuses, commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from backend.telemetry.gauges import Gauges, ServiceState

CONTENT_TYPE = CONTENT_TYPE_LATEST

MARKET = ("exchange", "market")
JOB_ENDS = ("done", "failed", "cancelled")
ALARM_OUTCOMES = (
    *("received", "done", "failed", "ignored", "refused", "bad_token", "bad_sender", "link_missing", "late"),
)
ORDER_STATES = ("accepted", "refused", "unknown", "never_arrived")
VISIT_ENDS = ("ok", "failed", "skipped")

HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
VENUE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
DATABASE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)


disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one process. The counters of `markets` (exchange, market) begin at 0, before the first
    event."""

    def __init__(self, markets: Iterable[tuple[str, str]] = ()) -> None:
        self._registry = CollectorRegistry()
        self._candles = self._counter("candles_written", "Candles that were not stored before.", *MARKET)
        self._revisions = self._counter(
            "revisions", "Stored candles that an exchange changed later.", *MARKET
        )
        self._requests = self._counter(
            "exchange_requests",
            "Requests to exchanges by HTTP status (none: no answer) and outcome (ok or our error code).",
            *MARKET,
            "status",
            "outcome",
        )
        self._request_seconds = self._histogram(
            "exchange_request_seconds", "Time of exchanges' answers.", "exchange", VENUE_SECONDS
        )
        self._sockets = Gauge(
            "market_data_sockets_open",
            "Open connections for pushed candles.",
            MARKET,
            registry=self._registry,
        )
        self._socket_losses = self._counter(
            "socket_losses", "Connections for pushed candles that broke or could not be made.", *MARKET
        )
        self._frames = self._counter("socket_frames", "Pushed messages of exchanges.", *MARKET)
        self._unreadable = self._counter(
            "socket_frames_unreadable", "Pushed messages of exchanges that are unreadable.", *MARKET
        )
        self._waits = self._counter("budget_waits", "Requests that waited for a rate budget.", "budget")
        self._wait_seconds = self._counter(
            "budget_wait_seconds", "Seconds that requests waited for a rate budget.", "budget"
        )
        self._jobs = self._counter("jobs_ended", "Jobs that ended in this process.", "status")
        self._job_seconds = self._histogram(
            "job_seconds", "Time of jobs from start to end.", "status", JOB_SECONDS
        )
        self._extractions = self._counter(
            "extractions_ended", "Extractions of order histories that ended in this process.", "status"
        )
        self._extracting = Gauge(
            "market_data_extractions_running",
            "Extractions of order histories that run in this process.",
            registry=self._registry,
        )
        self._orders = self._counter(
            "orders", "Orders of accounts that reached a state in this process.", "state"
        )
        self._undecided_orders = Gauge(
            "market_data_orders_undecided",
            "Orders of all accounts that are being sent, or whose fate is not known.",
            registry=self._registry,
        )
        self._alarms = self._counter(
            "alarms", "Alarms that reached a state in this process, or were not let in.", "outcome"
        )
        self._oldest_alarm = Gauge(
            "market_data_alarm_age_seconds",
            "Age of the oldest alarm that is not carried out yet.",
            registry=self._registry,
        )
        self._notices = self._counter(
            "notices", "Notices to people by target, and whether they were delivered.", "target", "outcome"
        )
        self._history_rows = self._counter(
            "history_rows", "Orders, fills and changes of balances that were not stored before."
        )
        self._visits = self._counter(
            "visits",
            "Visits of follows by outcome; skipped: not needed, or not possible at that time.",
            *MARKET,
            "outcome",
        )
        self._healed = self._counter(
            "minutes_healed", "Minutes of follows that were stored after later minutes.", *MARKET
        )
        self._answers = self._counter(
            "http_requests",
            "Requests by route and status; status cut: the answer ended too early.",
            "method",
            "route",
            "status",
        )
        self._answer_seconds = self._histogram(
            "http_request_seconds", "Time of requests, including streaming.", "route", HTTP_SECONDS
        )
        self._database_seconds = self._histogram(
            "database_seconds", "Time of commands to the database.", "command", DATABASE_SECONDS
        )
        self._database_failures = self._counter(
            "database_failures", "Failed commands to the database.", "command"
        )
        self._step_failures = self._counter(
            "step_failures", "Failed steps of permanent tasks, by task.", "task"
        )
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._begin_at_zero(markets)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(f"market_data_{name}", help, labels, registry=self._registry)

    def _histogram(self, name: str, help: str, label: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"market_data_{name}", help, (label,), buckets=buckets, registry=self._registry)

    def _begin_at_zero(self, markets: Iterable[tuple[str, str]]) -> None:
        """A counter that first appears with 1 shows no increase, so Prometheus would miss the first event."""
        for market in markets:
            self._candles.labels(*market)
            self._revisions.labels(*market)
            self._requests.labels(*market, "200", "ok")
            self._healed.labels(*market)
            for collector in (self._sockets, self._socket_losses, self._frames, self._unreadable):
                collector.labels(*market)
            for outcome in VISIT_ENDS:
                self._visits.labels(*market, outcome)
        for status in JOB_ENDS:
            self._jobs.labels(status)
            self._extractions.labels(status)
        for state in ORDER_STATES:
            self._orders.labels(state)
        for outcome in ALARM_OUTCOMES:
            self._alarms.labels(outcome)

    def wrote(self, exchange: str, market: str, inserted: int, replaced: int) -> None:
        """Candles were stored: new ones, and ones that differed."""
        self._candles.labels(exchange, market).inc(inserted)
        self._revisions.labels(exchange, market).inc(replaced)

    def asked(self, exchange: str, market: str, status: str, outcome: str, seconds: float) -> None:
        """A request to an exchange ended, with or without an answer."""
        self._requests.labels(exchange, market, status, outcome).inc()
        self._request_seconds.labels(exchange).observe(seconds)

    def socket_opened(self, exchange: str, market: str) -> None:
        """A connection for pushed candles was made."""
        self._sockets.labels(exchange, market).inc()

    def socket_closed(self, exchange: str, market: str) -> None:
        """Such a connection is closed, for any reason."""
        self._sockets.labels(exchange, market).dec()

    def socket_lost(self, exchange: str, market: str) -> None:
        """A needed connection broke, or could not be made."""
        self._socket_losses.labels(exchange, market).inc()

    def frames_came(self, exchange: str, market: str, frames: int) -> None:
        """Messages came from such connections."""
        self._frames.labels(exchange, market).inc(frames)

    def frame_unreadable(self, exchange: str, market: str) -> None:
        """One of them could not be read."""
        self._unreadable.labels(exchange, market).inc()

    def waited(self, budget: str, seconds: float) -> None:
        """A request waited for its place in a budget."""
        self._waits.labels(budget).inc()
        self._wait_seconds.labels(budget).inc(seconds)

    def job_ended(self, status: str, seconds: float) -> None:
        """A job is over."""
        self._jobs.labels(status).inc()
        self._job_seconds.labels(status).observe(seconds)

    def extraction_begun(self) -> None:
        """An extraction of an order history runs."""
        self._extracting.inc()

    def extraction_left(self) -> None:
        """It runs no more in this process."""
        self._extracting.dec()

    def extraction_ended(self, status: str, rows: int) -> None:
        """It is over, and has stored so many new rows."""
        self._extractions.labels(status).inc()
        self._history_rows.inc(rows)

    def order_reached(self, state: str) -> None:
        """An order has reached a state."""
        self._orders.labels(state).inc()

    def undecided_orders(self, count: int) -> None:
        """So many orders are being sent, or nobody knows their fate."""
        self._undecided_orders.set(count)

    def alarm(self, outcome: str) -> None:
        """An alarm came, was refused, came too late, or reached another state."""
        self._alarms.labels(outcome).inc()

    def notice(self, target: str, outcome: str) -> None:
        """A notice was sent, or could not be."""
        self._notices.labels(target, outcome).inc()

    def oldest_alarm(self, seconds: float) -> None:
        """The age of the oldest alarm that is not carried out; 0 where there is none."""
        self._oldest_alarm.set(seconds)

    def visited(self, exchange: str, market: str, outcome: str, healed: int) -> None:
        """A visit of a follow ended or was skipped."""
        self._visits.labels(exchange, market, outcome).inc()
        self._healed.labels(exchange, market).inc(healed)

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        """A request was answered."""
        self._answers.labels(method, route, status).inc()
        self._answer_seconds.labels(route).observe(seconds)

    def commanded(self, command: str, seconds: float, *, failed: bool = False) -> None:
        """The database finished a command, or failed."""
        self._database_seconds.labels(command).observe(seconds)
        if failed:
            self._database_failures.labels(command).inc()

    def loop_begun(self, task: str) -> None:
        """A permanent task has begun."""
        self._step_failures.labels(task)

    def step_failed(self, task: str) -> None:
        """A step of a permanent task, or a part of it, failed."""
        self._step_failures.labels(task).inc()

    def exposition(self, picture: ServiceState) -> bytes:
        """All of it as text for Prometheus, of type CONTENT_TYPE."""
        looked_up = CollectorRegistry()
        looked_up.register(Gauges(picture))
        return generate_latest(self._registry) + generate_latest(looked_up)
