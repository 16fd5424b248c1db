"""`python -m backend import`: kline files of Binance's public archive into the store and the ledger.

A file is checked as a whole before anything of it is written. A bad one is told by file, line and reason, and
left out; the others go on.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from backend.app import open_service
from backend.core.archive_file import LARGEST_TEXT, BadZip, only_text
from backend.core.archive_rows import BadRow, candles_of
from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import InvalidRequest
from backend.exchanges.binance.archive import named
from backend.exchanges.binance.market import BINANCE
from backend.services.service import Service
from backend.settings import Settings

ENDINGS = (".csv", ".zip")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    importing = commands.add_parser("import", help="take kline files of Binance's public archive")
    importing.add_argument(
        "files", nargs="+", type=Path, metavar="file", help="BTCUSDT-1m-2024-06.zip or .csv"
    )
    importing.add_argument("--exchange", choices=[BINANCE.name], default=BINANCE.name, help="whose files")
    importing.add_argument("--market", choices=[*BINANCE.markets], default="spot", help="the files' market")
    importing.add_argument("--symbol", help="the files' symbol, where their names do not tell")


async def import_files(settings: Settings, options: argparse.Namespace) -> int:
    """Take the files one after the other: 0 if all are in, 1 if some are not."""
    whole = True
    async with open_service(settings, role="command") as service:
        for path in options.files:
            try:
                print(await _imported(service, path, options))
            except InvalidRequest as error:
                whole = False
                print(f"error: {error}", file=sys.stderr)
    return 0 if whole else 1


async def _imported(service: Service, path: Path, options: argparse.Namespace) -> str:
    series, window = _described(service, path, options)
    closed, remark = await service.syncing.imports.horizon(series)
    within = Window(window.start, min(window.end, closed))
    if within.start >= within.end:
        raise InvalidRequest(f"{path.name} is of minutes that are not over yet")
    candles = await asyncio.to_thread(checked_candles, path, within)
    done = await service.syncing.imports.store(series, candles)
    told = [f"{path.name}: {done.candles:,} candles of {series.name}, {done.new_records:,} new"]
    if done.held_before:
        told.append(f"{done.held_before:,} were held before and stay as they are")
    return ". ".join([", ".join(told), *([remark] if remark else [])])


def _described(service: Service, path: Path, options: argparse.Namespace) -> tuple[Series, Window]:
    """The series that a file is of, and the minutes that its name promises."""
    by_name, window = named(path.stem) or ("", Window(0, sys.maxsize))
    found = [
        service.markets.series(symbol, options.exchange, options.market)
        for symbol in (options.symbol, by_name)
        if symbol
    ]
    if not found:
        raise InvalidRequest(f"give --symbol: {path.name} does not tell, as BTCUSDT-1m-2024-06.zip does")
    if found[0] != found[-1]:
        raise InvalidRequest(f"{path.name} is a file of {found[-1].symbol}, not of {found[0].symbol}")
    return found[0], window


def checked_candles(path: Path, window: Window) -> list[Candle]:
    """The candles of a file, all of them checked; InvalidRequest names file, line and reason."""
    body = _read(path)
    try:
        member, text = only_text(body) if path.suffix.lower() == ".zip" else ("", body)
        return candles_of(f"{path.name}: {member}" if member else path.name, text, window)
    except BadZip as error:
        raise InvalidRequest(f"{path.name}: {error}") from error
    except BadRow as error:
        raise InvalidRequest(str(error)) from error


def _read(path: Path) -> bytes:
    if path.suffix.lower() not in ENDINGS:
        raise InvalidRequest(f"{path.name} is neither a .csv nor a .zip file")
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}") from error
    if len(body) > LARGEST_TEXT:
        raise InvalidRequest(f"{path.name} has over {LARGEST_TEXT} bytes: cut it in parts, such as months")
    return body
