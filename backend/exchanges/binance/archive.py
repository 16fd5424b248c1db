"""Binance's public archive of klines: where its files are, and which of them are worth taking.

https://data.binance.vision, described at https://github.com/binance/binance-public-data. A zip a symbol,
interval and month, and one a day, each with one CSV inside and a SHA-256 beside it:

    data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-06.zip
    data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-06.zip.CHECKSUM
    data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-06-30.zip

A checksum file reads "<64 hexadecimal digits>  BTCUSDT-1m-2024-06.zip". A day is published on the next one, a
month on the first Monday after it. Files lack what the API has at times, so they are no proof of absence.
Mark and index prices have the same columns in folders of their own (`markPriceKlines`, `indexPriceKlines`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from backend.clock import EPOCH, parse_time
from backend.core.archive_file import ArchiveFile
from backend.core.series import INDEX_PRICES, MARK_PRICES
from backend.core.windows import HOUR, WEEK, Spans, Window, count_minutes, subtract

BASE_URL = "https://data.binance.vision"
CHECKSUM = ".CHECKSUM"
FOLDERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "spot": ("data/spot", "klines"),
        "perpetual": ("data/futures/um", "klines"),
        MARK_PRICES: ("data/futures/um", "markPriceKlines"),
        INDEX_PRICES: ("data/futures/um", "indexPriceKlines"),
    }
)
"""Where the files of a market are: before and after the folder of days or months."""

DAY = 24 * HOUR
DAY_TAKES = 12 * HOUR
MONTH_TAKES = 8 * DAY
"""How long after its end (ms) a day, and a month, is published at the latest, as a rule."""

BEFORE_BINANCE = Window(0, parse_time("2017-07-01"))
"""Its first candle opened in that month."""

WORTH_IT = WEEK // 60_000
"""Minutes: when no more than these are missing, the API is as quick."""

_OWN_HOST = re.compile(r"(f?api\d?|api-gcp)\.binance\.com|data-api\.binance\.vision")
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S+)\s*")
_NAMED = re.compile(r"(?P<symbol>.+)-1m-(?P<year>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d))?")


def files_for(market: str, symbol: str, missing: Spans, now: int) -> list[ArchiveFile]:
    """The files to take at exchange time `now`: whole months and days that are missing and published by now.

    Nothing for a week or less in all. What the files do not cover is the API's.
    """
    possible = subtract(missing, (BEFORE_BINANCE,))
    if count_minutes(possible) <= WORTH_IT:
        return []
    return [file_of(market, symbol, window) for span in possible for window in _whole(span, now)]


def file_of(market: str, symbol: str, window: Window) -> ArchiveFile:
    """The file of one whole day or month (UTC)."""
    day = EPOCH + timedelta(milliseconds=window.start)
    every, label = (
        ("daily", f"{day:%Y-%m-%d}") if window.end - window.start == DAY else ("monthly", f"{day:%Y-%m}")
    )
    name = f"{symbol}-1m-{label}"
    folder, kind = FOLDERS[market]
    return ArchiveFile(f"{folder}/{every}/{kind}/{symbol}/1m/{name}.zip", f"{name}.csv", window)


def checksum_of(text: bytes, name: str) -> str | None:
    """The SHA-256 (small hexadecimal digits) that a checksum file gives for `name`, None if it gives none."""
    match = _LINE.fullmatch(text.decode("ascii", "replace"))
    return match[1].lower() if match and match[2] == name else None


def belongs_to(base_url: str) -> bool:
    """Whether the archive holds what the API at `base_url` serves: not so for a testnet or a simulator."""
    return _OWN_HOST.fullmatch(urlsplit(base_url).hostname or "") is not None


def named(stem: str) -> tuple[str, Window] | None:
    """Symbol and window of a file that is called as the archive calls its files ("BTCUSDT-1m-2024-06")."""
    match = _NAMED.fullmatch(stem)
    if match is None:
        return None
    try:
        start = EPOCH.replace(int(match["year"]), int(match["month"]), int(match["day"] or 1))
        opens = (start - EPOCH) // timedelta(milliseconds=1)
        ends = opens + DAY if match["day"] else _month_after(opens)
    except (ValueError, OverflowError):
        return None
    return (match["symbol"], Window(opens, ends)) if opens >= 0 else None


def _whole(span: Window, now: int) -> Iterator[Window]:
    """The whole months inside `span`, and the whole days beside them, that are published at `now`."""
    cursor = -(-span.start // DAY) * DAY
    while cursor + DAY <= span.end and cursor + DAY + DAY_TAKES <= now:
        month_ends = _month_after(cursor)
        is_month = cursor == _month_of(cursor) and month_ends <= span.end and month_ends + MONTH_TAKES <= now
        window = Window(cursor, month_ends if is_month else cursor + DAY)
        yield window
        cursor = window.end


def _month_of(moment: int) -> int:
    """The beginning of the month that `moment` lies in."""
    first = (EPOCH + timedelta(milliseconds=moment)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - EPOCH) // timedelta(milliseconds=1)


def _month_after(moment: int) -> int:
    """The beginning of the month after the one that `moment` lies in."""
    return _month_of(_month_of(moment) + 31 * DAY)
