"""`python -m backend follow` and `unfollow`: follow series, and show their state each second.

If other processes run jobs, this one only shows. If not, it keeps the follows itself while it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rich import get_console

from backend.app import open_service
from backend.cli.commands import stop_event
from backend.cli.follow_table import Show, shown
from backend.clock import wait_up_to
from backend.core.follow import Standing
from backend.core.series import Series, series_text
from backend.errors import DatabaseUnavailable, NotFollowed
from backend.services.service import Service
from backend.settings import Settings

LOOK_SECONDS = 1.0


def add_to(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], moment: Callable[[str], int]
) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Describe both commands, `follow` first; the series are the caller's to add."""
    following = commands.add_parser(
        "follow", help="follow series: keep them complete. Without symbols: show all follows"
    )
    following.add_argument("--since", type=moment, help="first open time to keep: ISO-8601 or ms")
    return following, commands.add_parser("unfollow", help="stop following series")


async def follow(settings: Settings, wanted: Sequence[Series], since: int | None) -> int:
    """Follow all of `wanted`, or none. Then show the state of all follows until SIGINT or SIGTERM.

    Raises UnknownSymbol, InvalidRequest, DatabaseUnavailable.
    """
    say = partial(get_console().print, markup=False, highlight=False, soft_wrap=True)
    async with open_service(settings, role="follow") as service:
        if wanted:
            await service.following.follows.add(_named(service, wanted), since)
        keeps = service.jobs.worker.condition == "running"
        say(f"Kept up to date by {'this process, while it runs' if keeps else 'the processes that do jobs'}.")
        stop = stop_event()
        with shown(get_console()) as show:
            await _look_until(stop, service, show)
        say("What is followed stays followed; `python -m backend unfollow` ends that.")
        if keeps:
            say("It is kept up to date again by `python -m backend serve`, or by this command.")
    return 0


async def unfollow(settings: Settings, wanted: Sequence[Series]) -> int:
    """Stop following these series: 0, or 1 if one of them was not followed."""
    status = 0
    async with open_service(settings, role="command") as service:
        for series in _named(service, wanted):
            try:
                await service.following.follows.remove(series)
                print(f"{series_text(series)} is not followed any more; what is stored stays.")
            except NotFollowed as error:
                status = 1
                print(f"error: {error}", file=sys.stderr)
    return status


def _named(service: Service, wanted: Iterable[Series]) -> list[Series]:
    named = (service.markets.series(one.symbol, one.exchange, one.market) for one in wanted)
    return list(dict.fromkeys(named))


async def _look_until(stop: asyncio.Event, service: Service, show: Show) -> None:
    follows: Sequence[Standing] = ()
    while not stop.is_set():
        try:
            follows = await service.following.follows.all()
            remark = "" if follows else "There are no follows: name a symbol."
        except DatabaseUnavailable as error:
            remark = str(error)
        show(follows, remark)
        await wait_up_to(LOOK_SECONDS, stop)
