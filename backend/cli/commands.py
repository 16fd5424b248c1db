"""Commands: run the service, sync with progress lines, verify."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from backend.access.networks import is_loopback
from backend.app import open_service
from backend.app.http_server import listening_server
from backend.app.start import GRACE_SECONDS
from backend.clock import iso
from backend.core.job import Job, SyncRequest
from backend.core.series import Series
from backend.core.windows import MINUTE, count_minutes
from backend.errors import InvalidRequest
from backend.services.jobs.outcome import outcome_of
from backend.services.service import Service
from backend.services.syncing.sync import SyncResult
from backend.settings import Settings

log = logging.getLogger(__name__)

INTERRUPTED_STATUS = 130
ABSENCES_SHOWN = 10


async def serve(settings: Settings) -> int:
    """Serve the API until SIGINT or SIGTERM. Then finish the pages in flight and stop."""
    stop = stop_event()
    async with open_service(settings) as service:
        server = listening_server(service, settings)
        log.info("listening at http://%s:%d", settings.server_address, settings.server_port)
        warn_if_open(settings)
        await stop.wait()
        log.info("the service is stopping")
        server.stop()
        await asyncio.gather(
            service.jobs.worker.stop(GRACE_SECONDS),
            service.following.keeper.stop(GRACE_SECONDS),
            service.streaming.feeds.ledger_watch.dismiss(GRACE_SECONDS),
        )
        with suppress(TimeoutError):
            await asyncio.wait_for(server.close_all_connections(), 1)
    return 0


def warn_if_open(settings: Settings) -> None:
    """Warn if other machines may do everything.

    In a container the listening address is open, so the address that compose publishes decides.
    """
    address = settings.published_address or settings.server_address
    if settings.api_keys or (is_loopback(address) and not settings.trusted_proxies):
        return
    log.warning(
        "OPEN TO EVERYBODY who reaches %s:%s%s: set API_KEYS",
        settings.server_address,
        settings.server_port,
        " from ALLOWED_NETWORKS" if settings.allowed_networks else "",
    )


async def sync(settings: Settings, wanted: Sequence[Series], start: int | None, end: int | None) -> int:
    """Sync series side by side, with a progress line for each. After Ctrl-C all fetched candles stay."""
    if start is not None and end is not None and start >= end:
        raise InvalidRequest("--start is after --end")
    console = Console()
    stop = stop_event()
    async with open_service(settings, role="command") as service:
        named = [service.markets.series(series.symbol, series.exchange, series.market) for series in wanted]
        requests = [SyncRequest(series, start, end) for series in dict.fromkeys(named)]
        jobs = await service.jobs.submit(requests)
        with _progress_bar(console) as bar:
            watching = asyncio.gather(*(_watch(service, bar, job) for job in jobs))
            stopping = asyncio.create_task(stop.wait())
            either: set[asyncio.Future[Any]] = {watching, stopping}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not watching.done():
                await service.jobs.abandon()
                with suppress(TimeoutError):
                    await asyncio.wait_for(watching, GRACE_SECONDS)
            stopping.cancel()
        if stop.is_set():
            console.print("Stopped. What came is stored; sync again to fetch only the rest.")
            return INTERRUPTED_STATUS
        outcomes = [await _print_outcome(console, service, job) for job in watching.result()]
    return 0 if all(outcomes) else 1


async def _watch(service: Service, bar: Progress, job: Job) -> Job:
    """Show the progress of a job; return the job when it is over."""
    line = bar.add_task(job.request.series.name, total=None)
    async for current in service.jobs.watch(job.id):
        job = current
        if job.window is not None:
            bar.update(line, completed=job.tally.minutes_done, total=job.tally.minutes_total)
    return job


async def verify(settings: Settings, wanted: Sequence[Series]) -> int:
    """Audit series one after the other: 0 if all ledgers were right, 1 if any was wrong."""
    say = partial(Console().print, markup=False, highlight=False, soft_wrap=True)
    sound = True
    async with open_service(settings, role="command") as service:
        for series in wanted:
            named = service.markets.series(series.symbol, series.exchange, series.market)
            audit = await service.syncing.auditor.verify(named)
            lost, unclaimed = count_minutes(audit.lost), count_minutes(audit.unclaimed)
            say(f"{named.name}: {count_minutes(audit.stored):,} candles stored, ", end="")
            say(f"{lost:,} claimed but lost, {unclaimed:,} not claimed")
            if lost or unclaimed:
                sound = False
                say("  The ledger is right now; sync to fetch what was lost.")
    return 0 if sound else 1


def stop_event() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def begin() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, begin)
    return stop


class _MinutesColumn(ProgressColumn):
    """Finished minutes, all minutes, and minutes each second."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("asking the exchange")
        return Text(f"{task.completed:,.0f}/{task.total:,.0f} minutes  {task.speed or 0:,.0f} candles/s")


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        _MinutesColumn(),
        TimeRemainingColumn(),
        console=console,
    )


async def _print_outcome(console: Console, service: Service, job: Job) -> bool:
    """Print the result of one sync. Returns whether it is complete."""
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    error, result = await outcome_of(job, service.reading.queries)
    if result is None:
        say(f"error: {error}", style="red")
        return False
    _print_result(say, result)
    return error is None


def _print_result(say: Callable[..., None], result: SyncResult) -> None:
    statistics = result.statistics
    new, stored = result.tally.new_records, statistics.total_records
    say(f"{statistics.series.name}: {new:,} new candles, {stored:,} stored")
    if statistics.first_record is not None and statistics.last_record is not None:
        say(f"  from {iso(statistics.first_record)} to {iso(statistics.last_record)}")
    for note in result.notes:
        say(f"  asked the exchange instead of its archive: {note}")
    for window, _reason in result.absent[:ABSENCES_SHOWN]:
        first, last = window.start, window.end - MINUTE
        say(f"  not at the exchange: {window.minutes:,} minutes, {iso(first)} to {iso(last)}")
    if len(result.absent) > ABSENCES_SHOWN:
        shown = sum(window.minutes for window, _ in result.absent[:ABSENCES_SHOWN])
        say(f"  and {result.absent_minutes - shown:,} more minutes in other windows")
    if result.error:
        say(f"  {result.shortfall}.", style="red")
    else:
        say("  Complete.")
