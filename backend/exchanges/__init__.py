"""The venues that the service knows, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.exchanges.base import Exchange
from backend.exchanges.binance import BINANCE
from backend.exchanges.bingx import BINGX
from backend.exchanges.bitget import BITGET
from backend.exchanges.extended import EXTENDED

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {exchange.name: exchange for exchange in (BINANCE, BITGET, BINGX, EXTENDED)}
)
