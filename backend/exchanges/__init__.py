"""The venues that the service knows, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.exchanges.base import Exchange
from backend.exchanges.binance.market import BINANCE
from backend.exchanges.bingx.market import BINGX
from backend.exchanges.bitget.market import BITGET
from backend.exchanges.extended.market import EXTENDED

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {exchange.name: exchange for exchange in (BINANCE, BITGET, BINGX, EXTENDED)}
)
