"""`python -m backend export`: stored candles into a file, by the encoders of `GET /api/data`.

Parameters and bytes are those of the route. The file has a temporary name until it is complete.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from typing import IO

from backend.app import open_service
from backend.clock import LATEST
from backend.core.interval import ONE_MINUTE
from backend.core.plan import whole_minutes
from backend.core.series import Series
from backend.errors import InvalidRequest
from backend.formats import FORMATS, TIMES
from backend.formats.candle_answer import CandlesAnswer
from backend.formats.reader_request import (
    FILLS,
    ORDERS,
    ReaderRequest,
    read_fields,
    read_interval,
    reader_request,
    refuse_contradictions,
)
from backend.settings import Settings

BOUNDS = ("start_time", "limit", "last")
"""Options that can contradict each other, by the names of the route's parameters."""


def add_to(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], moment: Callable[[str], int]
) -> argparse.ArgumentParser:
    """Describe the command; `moment` reads a time. The series is the caller's to add."""
    exporting = commands.add_parser("export", help="write stored candles to a file")
    exporting.add_argument("--format", choices=[*FORMATS], required=True, help="as in GET /api/data")
    exporting.add_argument("--out", type=_file, required=True, metavar="FILE", help="the file to write")
    exporting.add_argument("--start", dest="start_time", type=moment, help="first open time: ISO-8601 or ms")
    exporting.add_argument("--end", dest="end_time", type=moment, help="last open time: ISO-8601 or ms")
    exporting.add_argument("--interval", help="1m, 5m, 1h, 1d, 1w, 1M ... (default 1m)")
    exporting.add_argument("--limit", type=_number, help="number of candles from the start")
    exporting.add_argument("--last", type=_number, help="number of newest candles")
    exporting.add_argument("--order", choices=[*ORDERS], help="oldest first (asc) or newest first (desc)")
    exporting.add_argument("--fill", choices=[*FILLS], help="fill holes with flat candles, marked as filled")
    exporting.add_argument("--forming", action="store_true", help="include the candle that is not over yet")
    exporting.add_argument("--fields", help="columns, separated by commas")
    exporting.add_argument("--time", choices=TIMES, help="format of times")
    return exporting


async def export(settings: Settings, wanted: Series, options: argparse.Namespace) -> int:
    """Write the file: 0 when it is complete. After a MarketDataError there is no file."""
    asked = _request(options)
    async with open_service(settings, role="command") as service:
        series = service.markets.series(wanted.symbol, wanted.exchange, wanted.market)
        opened = await service.reading.queries.open(series, asked.wanted)
        batches = (
            service.reading.queries.read_back(opened)
            if asked.descending
            else service.reading.queries.read(opened)
        )
        with _whole_file(options.out) as file, closing(CandlesAnswer(series, asked)) as answer:
            file.write(answer.begin())
            async with aclosing(batches):
                async for batch in batches:
                    file.write(answer.candles(batch[::-1] if asked.descending else batch))
            for piece in answer.end():
                file.write(piece)
    print(f"{options.out}: {_described(asked, answer.rows)} of {series.name}")
    return 0


def _file(text: str) -> Path:
    path = Path(text)
    if not path.name or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a file")
    return path


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:10]) > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text[:10])


def _request(options: argparse.Namespace) -> ReaderRequest:
    start, end = options.start_time, options.end_time
    if start is not None and end is not None and start > end:
        raise InvalidRequest("--start is after --end")
    refuse_contradictions([name for name in BOUNDS if getattr(options, name) is not None])
    return reader_request(
        whole_minutes(start or 0, LATEST if end is None else end),
        FORMATS[options.format],
        limit=options.limit,
        last=options.last,
        forming=options.forming,
        interval=ONE_MINUTE if options.interval is None else read_interval(options.interval),
        descending=options.order == "desc",
        fill=options.fill,
        time=options.time or "ms",
        fields=None if options.fields is None else read_fields(options.fields),
    )


def _described(asked: ReaderRequest, rows: int) -> str:
    return f"{rows:,} candles of {asked.layout.interval.name}"


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path`. It replaces `path` when the block succeeds; after an error it is deleted."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
