"""The venues that the service knows, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.exchanges.base import Exchange
from backend.exchanges.binance import quotes as binance
from backend.exchanges.binance.market import BINANCE
from backend.exchanges.bingx import quotes as bingx
from backend.exchanges.bingx.market import BINGX
from backend.exchanges.bitget import quotes as bitget
from backend.exchanges.bitget.market import BITGET
from backend.exchanges.extended import quotes as extended
from backend.exchanges.extended.market import EXTENDED
from backend.exchanges.quotes import Quotes

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {exchange.name: exchange for exchange in (BINANCE, BITGET, BINGX, EXTENDED)}
)

QUOTES: Mapping[tuple[str, str], Quotes] = MappingProxyType(
    {
        ("binance", "spot"): binance.SPOT,
        ("binance", "perpetual"): binance.PERPETUAL,
        ("bitget", "spot"): bitget.SPOT,
        ("bitget", "perpetual"): bitget.PERPETUAL,
        ("bingx", "spot"): bingx.SPOT,
        ("bingx", "perpetual"): bingx.PERPETUAL,
        ("extended", "perpetual"): extended.PERPETUAL,
    }
)
"""How each market tells its ticker and its order book, by exchange and market."""
