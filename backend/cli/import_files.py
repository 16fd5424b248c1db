"""`python -m backend import`: kline files of Binance's public archive into the store and the ledger.

The whole file is checked before anything is written. For a bad file the command prints file, line and reason,
and continues with the other files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.app import open_service
from backend.core.archive_file import LARGEST_TEXT
from backend.errors import InvalidRequest
from backend.exchanges.binance.market import BINANCE
from backend.services.service import Service
from backend.settings import Settings


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    importing = commands.add_parser("import", help="import kline files of Binance's public archive")
    importing.add_argument(
        "files", nargs="+", type=Path, metavar="file", help="BTCUSDT-1m-2024-06.zip or .csv"
    )
    importing.add_argument(
        "--exchange", choices=[BINANCE.name], default=BINANCE.name, help="exchange of the files"
    )
    importing.add_argument("--market", choices=[*BINANCE.markets], default="spot", help="market of the files")
    importing.add_argument("--symbol", help="the files' symbol, if their names do not contain it")


async def import_files(settings: Settings, options: argparse.Namespace) -> int:
    """Import the files one after the other: 0 if all are imported, 1 if some are not."""
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
    series, done, remark = await service.syncing.imports.take(
        path.name, _read(path), options.exchange, options.market, options.symbol or ""
    )
    told = [f"{path.name}: {done.candles:,} candles of {series.name}, {done.new_records:,} new"]
    if done.held_before:
        told.append(f"{done.held_before:,} were held before and stay as they are")
    return ". ".join([", ".join(told), *([remark] if remark else [])])


def _read(path: Path) -> bytes:
    """The content of a file, cut a little above the size limit."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}") from error
