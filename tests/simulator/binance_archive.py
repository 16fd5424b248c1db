"""Binance's public archive: zips of a day's or a month's one-minute klines, each with a checksum beside it.

Source: https://github.com/binance/binance-public-data and https://data.binance.vision. Paths:
/data/{spot,futures/um}/{daily,monthly}/{klines,markPriceKlines,indexPriceKlines}/BTCUSDT/1m/
BTCUSDT-1m-2024-06[-30].zip[.CHECKSUM]. The twelve
columns of the API's rows, as CSV. Times are ms, in spot files from 2025-01-01 on µs. A day is published on
the next one, a month on the first Monday after it. What is not there answers 404 with XML, as its storage
does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

from tests.simulator.answers import Admission, Answer, Question
from tests.simulator.archive import Archive
from tests.simulator.archive_faults import strikes
from tests.simulator.intervals import Grid
from tests.simulator.markets import INDEX, MARK
from tests.simulator.rows import Row
from tests.simulator.times import DAY, MINUTE, Window, parse_instant

PREFIX = "/data/"
KINDS = {
    ("spot", "klines"): "spot",
    ("futures/um", "klines"): "perpetual",
    ("futures/um", "markPriceKlines"): MARK,
    ("futures/um", "indexPriceKlines"): INDEX,
}
FAST = 1
"""Degree of compression."""

DAYS = Grid(DAY)
MONTHS = Grid(28 * DAY, monthly=True)
MONDAYS = Grid(7 * DAY, anchor=4 * DAY)

NAMES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)

_PATH = re.compile(
    r"/data/(?P<folder>spot|futures/um)/(?P<every>daily|monthly)/(?P<rows>\w+)/(?P<symbol>[^/]+)/1m/"
    r"(?P<name>(?P=symbol)-1m-(?P<date>\d{4}-\d\d(-\d\d)?))\.zip(?P<checksum>\.CHECKSUM)?"
)


class File(NamedTuple):
    """A file of the archive: its name without an ending, and the open times (ms UTC) that it covers."""

    kind: str
    symbol: str
    name: str
    window: Window


class BinanceArchive:
    """The file host over the archives of both market kinds; keeps some zips."""

    def __init__(self, archives: Mapping[str, Archive]) -> None:
        self._archives = archives
        self._faults = archives["spot"].faults
        self._kept = lru_cache(maxsize=64)(self._zip)

    def serves(self, path: str) -> bool:
        """Whether the path belongs to the archive."""
        return path.startswith(PREFIX)

    def admit(self, _question: Question) -> Admission:
        """Let everybody pass: files have no weight."""
        return Admission(0, {})

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return the storage's answer of a status."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return _xml(status, "SlowDown", headers)

    def answer(self, question: Question) -> Answer:
        """Return a zip or a checksum."""
        found = _PATH.fullmatch(question.path)
        file = None if found is None else _file(found)
        if found is None or file is None or not self._is_published(file):
            return _xml(404, "NoSuchKey", {})
        if strikes(self._faults.archive.failing, file.name):
            return self.failure(503)
        body = self._body(file)
        if not body:
            return _xml(404, "NoSuchKey", {})
        if found["checksum"] is None:
            return Answer(200, body, "application/zip")
        told = body + b"\0" if strikes(self._faults.archive.wrong_checksum, file.name) else body
        return Answer(200, f"{sha256(told).hexdigest()}  {file.name}.zip\n".encode(), "binary/octet-stream")

    def _is_published(self, file: File) -> bool:
        faults, archive = self._faults.archive, self._archives[file.kind]
        market = archive.market(file.symbol)
        if market is None or strikes(faults.absent, file.name):
            return False
        if file.window[1] - file.window[0] == DAY:
            due = file.window[1]
        else:
            due = MONDAYS.following(MONDAYS.floor(file.window[1] - 1))
        return archive.clock.now() >= due + faults.takes

    def _body(self, file: File) -> bytes:
        faults = self._faults
        plain = not faults.archive.left_out and not faults.change(file.symbol, *file.window)
        rules = (file.window[0] >= faults.archive.microseconds_from, file.kind in faults.archive.named)
        if not plain or strikes(faults.archive.bad_row, file.name):
            body = self._zip(file, *rules)
        else:
            body = self._kept(file, *rules)
        return body[: len(body) // 2] if strikes(faults.archive.corrupt, file.name) else body

    def _zip(self, file: File, late: bool, named: bool) -> bytes:
        """Return the zip, nothing where there is no candle for it."""
        unit = 1000 if late and file.kind == "spot" else 1
        line = _price_line if file.kind in (MARK, INDEX) else _line
        lines = [line(row, unit) for row in self._rows(file)]
        if not lines:
            return b""
        if strikes(self._faults.archive.bad_row, file.name):
            cells = lines[len(lines) // 2].split(",")
            lines[len(lines) // 2] = ",".join([*cells[:2], "nan", *cells[3:]])
        body = BytesIO()
        with ZipFile(body, "w", ZIP_DEFLATED, compresslevel=FAST) as archive:
            archive.writestr(f"{file.name}.csv", (NAMES if named else "") + "".join(lines))
        return body.getvalue()

    def _rows(self, file: File) -> list[Row]:
        archive = self._archives[file.kind]
        market = archive.market(file.symbol)
        left_out = self._faults.archive.left_out
        rows = archive.minutes(market, *file.window) if market else []
        return [row for row in rows if not any(start <= row.open_time < end for start, end in left_out)]


def _file(found: re.Match[str]) -> File | None:
    daily = found["every"] == "daily"
    if daily != (len(found["date"]) == len("2024-06-30")):
        return None
    try:
        start = parse_instant(found["date"] if daily else f"{found['date']}-01")
    except ValueError:
        return None
    end = start + DAY if daily else MONTHS.following(start)
    kind = KINDS.get((found["folder"], found["rows"]))
    return None if kind is None else File(kind, found["symbol"], found["name"], (start, end))


def _line(row: Row, unit: int) -> str:
    open_time, opened, high, low, close, volume, quote, trades, taker, taker_quote = row
    closes = (open_time + MINUTE) * unit - 1
    return (
        f"{open_time * unit},{opened},{high},{low},{close},{volume},{closes},"
        f"{quote},{trades},{taker},{taker_quote},0\n"
    )


def _price_line(row: Row, unit: int) -> str:
    """In place of trades a file of prices counts samples."""
    return _line(Row(*row[:5], "0", "0", 60, "0", "0"), unit)


def _xml(status: int, code: str, headers: Mapping[str, str]) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Answer(status, body.encode(), "application/xml", headers)
