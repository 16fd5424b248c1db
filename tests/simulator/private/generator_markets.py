"""The markets of a made-up account, and how their prices walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tests.simulator.private.rows import Pair, Product

BASES = (
    ("BTC", 30_000, 1, 3),
    ("ETH", 1_800, 2, 2),
    ("SOL", 80, 3, 1),
    ("XRP", 1, 4, 0),
    ("BNB", 250, 2, 2),
    ("DOGE", 1, 5, 0),
    ("ADA", 1, 4, 0),
    ("LTC", 90, 2, 2),
    ("LINK", 15, 3, 1),
    ("AVAX", 30, 3, 1),
    ("DOT", 6, 3, 1),
    ("UNI", 7, 3, 1),
)
"""Coin, typical price, decimals of a price and of a size."""

QUOTES = {Product.SPOT: "USDT", Product.USDT: "USDT", Product.USDC: "USDC", Product.COIN: "USD"}


@dataclass(slots=True)
class Market:
    """A market whose price walks about its typical one, in ticks."""

    product: Product
    pair: Pair
    typical: int
    tick: int
    lot: int
    ticks: int

    def walk(self, random: Random) -> Decimal:
        """The next price."""
        self.ticks += int(self.ticks * (random.random() - 0.5) * 0.01)
        if not self.typical * 5 < 10 * self.ticks // 10**self.tick < self.typical * 20:
            self.ticks = self.typical * 10**self.tick
        return self.price()

    def price(self) -> Decimal:
        return Decimal(self.ticks).scaleb(-self.tick)

    def lots(self, size: Decimal) -> int:
        """How many of its smallest sizes a size holds."""
        return int(size.scaleb(self.lot))

    def size(self, lots: int) -> Decimal:
        return Decimal(lots).scaleb(-self.lot)


def markets(products: Sequence[Product], symbols: int) -> list[Market]:
    """So many markets of each product."""
    return [
        Market(product, Pair(base, QUOTES[product]), price, tick, lot, price * 10**tick)
        for product in products
        for base, price, tick, lot in BASES[:symbols]
    ]
