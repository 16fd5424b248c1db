"""The venues that the service knows, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.exchanges.base import Exchange
from backend.exchanges.binance import BINANCE

EXCHANGES: Mapping[str, Exchange] = MappingProxyType({BINANCE.name: BINANCE})
