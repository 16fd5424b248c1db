"""Binance: its spot and USD-M interfaces, each with a weight limit of its own, and its public archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.simulator.answers import Options, Venue
from tests.simulator.archive import Archive
from tests.simulator.binance_archive import BinanceArchive
from tests.simulator.binance_interface import Binance, Facts
from tests.simulator.binance_perpetual import PERPETUAL
from tests.simulator.binance_spot import SPOT
from tests.simulator.markets import INDEX, MARK
from tests.simulator.weights import Policy


def binance(archives: Mapping[str, Archive], options: Options) -> Sequence[Venue]:
    """Return Binance's interfaces over its archives."""

    def interface(kind: str, facts: Facts, weight_limit: int | None, **prices: Archive) -> Venue:
        policy = Policy(weight_limit if options.limited else None, options.patience)
        return Binance(facts, archives[kind], policy, options.cached_chunks, prices)

    prices = {"markPriceKlines": archives[MARK], "indexPriceKlines": archives[INDEX]}
    return [
        interface("spot", SPOT, options.weight_limit),
        interface("perpetual", PERPETUAL, PERPETUAL.default_limit, **prices),
        BinanceArchive(archives),
    ]
