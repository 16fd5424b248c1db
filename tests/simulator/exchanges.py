"""Which exchanges the simulator imitates: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.simulator.answers import Options, Venue
from tests.simulator.archive import Archive
from tests.simulator.binance import binance
from tests.simulator.bingx import bingx
from tests.simulator.bitget import bitget
from tests.simulator.extended import extended

Build = Callable[[Mapping[str, Archive], Options], Sequence[Venue]]
"""How an exchange is made: archives by market kind ("spot", "perpetual") and options -> its interfaces."""

EXCHANGES: Mapping[str, Build] = {
    "binance": binance,
    "bitget": bitget,
    "bingx": bingx,
    "extended": extended,
}
"""Exchanges by name; `Simulator.history` knows them by it."""
