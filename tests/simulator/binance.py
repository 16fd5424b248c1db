"""Binance: its spot and USD-M interfaces, each with a weight limit of its own, and its public archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.simulator.answers import Options, Venue
from tests.simulator.archive import Archive
from tests.simulator.binance_archive import BinanceArchive
from tests.simulator.binance_interface import Binance, Facts
from tests.simulator.binance_perpetual import PERPETUAL
from tests.simulator.binance_spot import SPOT
from tests.simulator.weights import Policy


def binance(archives: Mapping[str, Archive], options: Options) -> Sequence[Venue]:
    """Return Binance's interfaces over its archives."""

    def interface(kind: str, facts: Facts, weight_limit: int | None) -> Venue:
        limit = weight_limit if options.limited else None
        return Binance(facts, archives[kind], Policy(limit, options.patience), options.cached_chunks)

    return [
        interface("spot", SPOT, options.weight_limit),
        interface("perpetual", PERPETUAL, PERPETUAL.default_limit),
        BinanceArchive(archives),
    ]
