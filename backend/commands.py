"""What the command line does: run the service, sync with a progress line each, verify."""

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

from backend.app import open_service
from backend.clock import iso
from backend.core.coverage import MINUTE, count_minutes
from backend.core.series import Series
from backend.errors import ConfigurationError, InvalidRequest, MarketDataError
from backend.services.backfill import Progress as SyncProgress
from backend.services.service import Service
from backend.services.sync import SyncResult
from backend.settings import Settings
from backend.web.app import make_server

log = logging.getLogger(__name__)

GRACE_SECONDS = 8.0
"""How long work in flight may take to finish when the process is told to stop."""

INTERRUPTED_STATUS = 130
ABSENCES_SHOWN = 10


async def serve(settings: Settings) -> int:
    """Serve the API until SIGINT or SIGTERM; then finish the pages in flight and leave."""
    stop = stop_event()
    async with open_service(settings) as service:
        server = make_server(service)
        address = f"{settings.server_address}:{settings.server_port}"
        try:
            server.listen(settings.server_port, settings.server_address)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {address} ({error.strerror}): set SERVER_PORT or SERVER_ADDRESS"
            ) from error
        log.info("listening at http://%s", address)
        await stop.wait()
        log.info("stopping")
        server.stop()
        await service.syncs.stop(GRACE_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(server.close_all_connections(), 1)
    return 0


async def sync(settings: Settings, wanted: Sequence[Series], start: int | None, end: int | None) -> int:
    """Sync series side by side, a progress line each; Ctrl-C ends it with everything fetched so far kept."""
    if start is not None and end is not None and start >= end:
        raise InvalidRequest("--start is after --end")
    console = Console()
    stop = stop_event()
    async with open_service(settings) as service:
        named = [service.markets.series(series.symbol, series.exchange, series.market) for series in wanted]
        with _progress_bar(console) as bar:
            syncing = [
                asyncio.create_task(service.syncs.sync(series, start, end, _show(bar, series)))
                for series in dict.fromkeys(named)
            ]
            await _until_done_or_stopped(service, syncing, stop)
    outcomes = [_print_outcome(console, task) for task in syncing]
    if stop.is_set():
        return INTERRUPTED_STATUS
    return 0 if all(outcomes) else 1


async def verify(settings: Settings, wanted: Sequence[Series]) -> int:
    """Recount series against their ledgers, one after the other: 0 if all were sound, 1 if any drifted."""
    say = partial(Console().print, markup=False, highlight=False, soft_wrap=True)
    sound = True
    async with open_service(settings) as service:
        for series in wanted:
            named = service.markets.series(series.symbol, series.exchange, series.market)
            found = await service.syncs.verify(named)
            lost, unclaimed = count_minutes(found.lost), count_minutes(found.unclaimed)
            say(f"{named.name}: {count_minutes(found.stored):,} candles stored, ", end="")
            say(f"{lost:,} claimed but lost, {unclaimed:,} not claimed")
            if lost or unclaimed:
                sound = False
                say("  The ledger is right now; sync to fetch what was lost.")
    return 0 if sound else 1


async def _until_done_or_stopped(
    service: Service, syncing: Sequence[asyncio.Task[SyncResult]], stop: asyncio.Event
) -> None:
    """Wait for all; after a stop give the pages in flight a moment, then give them up."""
    done = asyncio.gather(*syncing, return_exceptions=True)
    stopping = asyncio.create_task(stop.wait())
    either: set[asyncio.Future[Any]] = {done, stopping}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not done.done():
        await service.syncs.stop(GRACE_SECONDS)
        for task in syncing:
            task.cancel()
    await done


def _show(bar: Progress, series: Series) -> Callable[[SyncProgress], None]:
    task = bar.add_task(series.name, total=None)

    def show(progress: SyncProgress) -> None:
        bar.update(task, completed=progress.done, total=progress.total)

    return show


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
    """Minutes done of all, and how many a second."""

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


def _print_outcome(console: Console, task: asyncio.Task[SyncResult]) -> bool:
    """Tell how one sync ended; whether it is complete."""
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    if task.cancelled():
        say("Stopped. What came is stored; sync again to fetch only the rest.")
        return False
    if isinstance(error := task.exception(), MarketDataError):
        say(f"error: {error}", style="red")
        return False
    _print_result(say, task.result())
    return task.result().error is None


def _print_result(say: Callable[..., None], result: SyncResult) -> None:
    found = result.statistics
    say(f"{found.series.name}: {result.new_records:,} new candles, {found.total_records:,} stored")
    if found.first_record is not None and found.last_record is not None:
        say(f"  from {iso(found.first_record)} to {iso(found.last_record)}")
    for note in result.notes:
        say(f"  asked the exchange instead of its archive: {note}")
    for window, _reason in result.absent[:ABSENCES_SHOWN]:
        first, last = window.start, window.end - MINUTE
        say(f"  not at the exchange: {window.minutes:,} minutes, {iso(first)} to {iso(last)}")
    if len(result.absent) > ABSENCES_SHOWN:
        say(f"  and {len(result.absent) - ABSENCES_SHOWN} more such windows")
    if result.error:
        say(f"  {result.shortfall}.", style="red")
    else:
        say("  Complete.")
