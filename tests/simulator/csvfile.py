"""Real candles from a file: an archive's CSV without a header, or columns that a header names; gzip or plain.

Source of the archive's form: https://github.com/binance/binance-public-data (12 columns; spot stamps are
µs from 2025-01-01 on).
"""

from __future__ import annotations

import csv
import gzip
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.simulator.markets import Market
from tests.simulator.rows import Row
from tests.simulator.times import BLOCK, MICROSECONDS, MINUTE

ARCHIVE_COLUMNS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trades",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
ALIASES = {
    "open_time_ms": "open_time",
    "count": "trades",
    "number_of_trades": "trades",
    "quote_asset_volume": "quote_volume",
    "taker_buy_base_asset_volume": "taker_buy_volume",
    "taker_buy_quote_asset_volume": "taker_buy_quote_volume",
}
NEEDED = ("open_time", "open", "high", "low", "close", "volume")
QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY")


@dataclass(frozen=True, slots=True, eq=False)
class FileMinutes:
    """One-minute candles in memory, ascending by open time (ms UTC)."""

    rows: list[Row]
    open_times: list[int]

    def block(self, number: int) -> list[Row]:
        """Return the candles that open in the block."""
        start = bisect_left(self.open_times, number * BLOCK)
        return self.rows[start : bisect_left(self.open_times, (number + 1) * BLOCK)]


def market_of_file(path: Path, symbol: str | None = None, kind: str = "spot") -> Market:
    """Return the market of a file, listed with its first row and delisted after its last one."""
    symbol = symbol or symbol_of_name(path.name)
    rows = read_rows(path)
    if not rows:
        raise ValueError(f"{path} holds no candles")
    base, quote = split_symbol(symbol)
    minutes = FileMinutes(rows, [row.open_time for row in rows])
    return Market(symbol, base, quote, minutes, rows[0].open_time, rows[-1].open_time + MINUTE, kind=kind)


def symbol_of_name(name: str) -> str:
    """Return the symbol in `binance_spot_ETHBTC_1m_20191015-20191114.csv.gz` or `ETHBTC-1m-2024-06.csv`."""
    match = re.search(r"(?:^|[_-])([A-Z0-9]{2,})[_-]1m[_.-]", name)
    if match is None:
        raise ValueError(f"no symbol in the file name {name!r}; name it with --symbol")
    return match[1]


def split_symbol(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol, by the quote assets that are usual."""
    for quote in QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            return symbol.removesuffix(quote), quote
    return symbol[:-3], symbol[-3:]


def read_rows(path: Path) -> list[Row]:
    """Return a file's candles, oldest first; of rows with the same open time the last one counts."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    lines = content.decode("utf-8-sig").splitlines()
    header = None if lines and lines[0][:1].isdigit() else lines[:1]
    names = _columns(header[0]) if header else ARCHIVE_COLUMNS
    body = lines[1:] if header else lines
    found = {row.open_time: row for row in _parsed(names, body)}
    return [found[open_time] for open_time in sorted(found)]


def _columns(header: str) -> tuple[str, ...]:
    names = tuple(ALIASES.get(name.strip(), name.strip()) for name in header.split(","))
    absent = [name for name in NEEDED if name not in names]
    if absent:
        raise ValueError(f"the header {header!r} lacks {absent}")
    return names


def _parsed(names: tuple[str, ...], lines: Iterable[str]) -> Iterable[Row]:
    return (_row(dict(zip(names, cells, strict=False))) for cells in csv.reader(lines) if cells)


def _row(cells: Mapping[str, str]) -> Row:
    stamp = int(cells["open_time"])
    return Row(
        open_time=stamp // 1000 if stamp >= MICROSECONDS else stamp,
        open=cells["open"],
        high=cells["high"],
        low=cells["low"],
        close=cells["close"],
        volume=cells["volume"],
        quote_volume=cells.get("quote_volume") or "0",
        trades=int(cells.get("trades") or 0),
        taker_buy_volume=cells.get("taker_buy_volume") or "0",
        taker_buy_quote_volume=cells.get("taker_buy_quote_volume") or "0",
    )
