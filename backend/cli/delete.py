"""`python -m backend delete`: delete stored series, or a window of them, after a question."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Console

from backend.app import open_service
from backend.clock import LATEST, iso
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.errors import InvalidRequest
from backend.services.syncing.removal import Removed
from backend.settings import Settings

YES = "yes"


def add_to(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], moment: Callable[[str], int]
) -> argparse.ArgumentParser:
    """Describe the command; the series are the caller's to add."""
    deleting = commands.add_parser("delete", help="delete stored series, or a window of them")
    deleting.add_argument("--start", type=moment, help="first open time to delete: ISO-8601 or ms")
    deleting.add_argument("--end", type=moment, help="last open time to delete: ISO-8601 or ms")
    deleting.add_argument(
        "--dry-run", action="store_true", help="show what would be deleted, and delete nothing"
    )
    deleting.add_argument("--yes", action="store_true", help="delete without a question")
    return deleting


async def delete(
    settings: Settings,
    wanted: Sequence[Series],
    start: int | None,
    end: int | None,
    options: argparse.Namespace,
) -> int:
    """Show what would be deleted, ask, and delete it: 0, or 1 if the user says no.

    `start` and `end` bound a window `[start, end)` in ms; without both the whole series is deleted. Raises
    InvalidRequest, SeriesNotStored, SeriesBusy, DatabaseUnavailable.
    """
    window = None if start is end is None else Window(start or 0, LATEST + 1 if end is None else end)
    if window and not window.minutes:
        raise InvalidRequest("no minute opens from --start to --end")
    say = partial(Console().print, markup=False, highlight=False, soft_wrap=True)
    async with open_service(settings, role="command") as service:
        named = [service.markets.series(one.symbol, one.exchange, one.market) for one in wanted]
        for series in dict.fromkeys(named):
            say(_told(await service.syncing.remover.survey(series, window)))
        if options.dry_run:
            return 0
        if not (options.yes or await asyncio.to_thread(_confirmed)):
            say("Nothing was deleted.")
            return 1
        for series in dict.fromkeys(named):
            removed = await service.syncing.remover.remove(series, window)
            say(f"{series.name}: deleted {removed.candles:,} candles.")
    return 0


def _confirmed() -> bool:
    try:
        return input(f"Delete this for good? Type {YES}: ").strip().lower() == YES
    except EOFError as error:
        raise InvalidRequest("nobody can confirm the deletion: add --yes") from error


def _told(removed: Removed) -> str:
    about = f"{removed.series.name}: {removed.candles:,} candles"
    if removed.window:
        about += f" from {iso(removed.window.start)} to {iso(removed.window.end - MINUTE)}"
    parts = [
        about,
        f"{removed.revisions:,} revisions",
        f"{removed.jobs:,} finished jobs",
        f"{removed.bytes_on_disk:,} bytes on disk",
    ]
    return ", ".join([*parts, *(["its follow"] if removed.follows else [])])
