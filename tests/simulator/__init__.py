"""A runnable local stand-in of crypto exchanges, written from the exchanges' documents.

In-process: `async with Simulator() as simulator: ... simulator.url`. As a program: `python -m
tests.simulator --help`. `sockets` says which WebSockets it has.
"""

from tests.simulator.archive_faults import ArchiveFaults
from tests.simulator.bingx_rules import BingxRules
from tests.simulator.clock import SimulatorClock
from tests.simulator.csvfile import market_of_file
from tests.simulator.extended_rules import ExtendedRules
from tests.simulator.faults import Faults, Forced
from tests.simulator.lies import Lie
from tests.simulator.markets import Market, default_markets, synthetic_market
from tests.simulator.quirks import Quirks
from tests.simulator.requestlog import Record
from tests.simulator.server import Simulator
from tests.simulator.sockets.faults import SocketFaults

__all__ = [
    "ArchiveFaults",
    "BingxRules",
    "ExtendedRules",
    "Faults",
    "Forced",
    "Lie",
    "Market",
    "Quirks",
    "Record",
    "Simulator",
    "SimulatorClock",
    "SocketFaults",
    "default_markets",
    "market_of_file",
    "synthetic_market",
]
