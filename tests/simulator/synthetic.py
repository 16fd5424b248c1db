"""Invented one-minute candles that look like a market and are the same in every run.

A block of 1000 minutes is a random walk between two anchor prices, drawn from a generator seeded with the
symbol (and the exchange) and the block's number. So any minute follows from (symbol, open time) alone, and
blocks join without a jump.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from math import exp, sin
from random import Random

from tests.simulator.rows import Row
from tests.simulator.times import BLOCK, MINUTE

BLOCK_MINUTES = BLOCK // MINUTE

NOTHING = "0.00000000"


@dataclass(frozen=True, slots=True)
class SyntheticMinutes:
    """Candles of an invented market.

    Of the minutes, `flat_share` have no trade, but the first and last minute of a block and every 20th
    always have some. Markets with another `seed` have other candles around the same prices.

    `price` is a typical price in quote currency, `volume` a typical minute's base volume; the decimals are
    those of the tick and of the lot. Their sum is at most `quote_decimals`, itself at most 8, so that
    quote volumes are exact with so many decimals.
    """

    symbol: str
    price: float
    volume: float
    price_decimals: int
    volume_decimals: int
    quote_decimals: int = 8
    flat_share: float = 0.02
    seed: str = ""

    def block(self, number: int) -> list[Row]:
        """Return the 1000 candles of a block, oldest first; its first minute opens at number x BLOCK ms."""
        random = Random(f"{self.symbol}{self.seed}:{number}").random
        price_unit, lot_unit = 10**self.price_decimals, 10**self.volume_decimals
        quote_scale = 10 ** (8 - self.price_decimals - self.volume_decimals)
        quote_unit = 10 ** (8 - self.quote_decimals)
        lots = self.volume * lot_unit * 3
        opened = self._anchor(number)
        spread = opened * 0.0006 + 2
        open_text = "%.8f" % (opened / price_unit)
        rows: list[Row] = []
        for minute, closed in enumerate(self._closes(number, random)):
            open_time = number * BLOCK + minute * MINUTE
            if closed is None:
                rows.append(_without_trades(open_time, open_text))
                continue
            low, high = (opened, closed) if opened < closed else (closed, opened)
            low = max(1, low - int(random() ** 3 * spread))
            high += int(random() ** 3 * spread)
            volume = 1 + int(random() ** 2 * lots)
            quote = (low * volume + (high - low) * volume * int(random() * 1024) // 1024) * quote_scale
            taker = volume * int(random() * 1024) // 1024
            close_text = "%.8f" % (closed / price_unit)
            rows.append(
                Row(
                    open_time,
                    open_text,
                    "%.8f" % (high / price_unit),
                    "%.8f" % (low / price_unit),
                    close_text,
                    "%.8f" % (volume / lot_unit),
                    "%.8f" % (quote / 1e8),
                    1 + volume % 997,
                    "%.8f" % (taker / lot_unit),
                    "%.8f" % (quote * taker // volume // quote_unit * quote_unit / 1e8),
                )
            )
            opened, open_text = closed, close_text
        return rows

    def _anchor(self, number: int) -> int:
        """Return the price at the edge before a block, in ticks: slow waves and a little noise."""
        noise = Random(f"{self.symbol}{self.seed}|{number}").random() - 0.5
        phase = len(self.symbol) + ord(self.symbol[0])
        level = 0.7 * sin(number / 190 + phase) + 0.2 * sin(number / 23 + phase) + 0.02 * noise
        scale: int = 10**self.price_decimals
        return max(1, round(self.price * exp(level) * scale))

    def _closes(self, number: int, random: Callable[[], float]) -> list[int | None]:
        """Return the closing prices of a block in ticks, None where nothing trades."""
        first, last = self._anchor(number), self._anchor(number + 1)
        scale = first * 0.0012
        walk = list(accumulate((random() - 0.5) * scale for _ in range(BLOCK_MINUTES)))
        slope = (last - first - walk[-1]) / BLOCK_MINUTES
        closes: list[int | None] = [
            None if random() < self.flat_share else max(1, round(first + step + slope * minute))
            for minute, step in enumerate(walk, start=1)
        ]
        for minute in range(0, BLOCK_MINUTES, 20):
            closes[minute] = max(1, round(first + walk[minute] + slope * (minute + 1)))
        closes[-1] = last
        return closes


def _without_trades(open_time: int, price: str) -> Row:
    """Return the flat row that Binance serves for a minute without trades: the previous close and no
    volume."""
    return Row(open_time, price, price, price, price, NOTHING, NOTHING, 0, NOTHING, NOTHING)
