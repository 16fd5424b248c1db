"""Check the parameters of Bitget requests, in the order and with the codes of Bitget.

Source: https://www.bitget.com/api-doc/common/intro and .../spot/market/Get-Candle-Data,
.../contract/market/Get-Candle-Data, .../common/error-code. Unknown parameters are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.simulator.archive import Archive
from tests.simulator.markets import Market

PRODUCT_TYPES = (
    "USDT-FUTURES",
    "USDC-FUTURES",
    "COIN-FUTURES",
    "SUSDT-FUTURES",
    "SUSDC-FUTURES",
    "SCOIN-FUTURES",
)


class Rejected(Exception):
    """A request that Bitget answers with HTTP 400 and this code and message in its envelope."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def require(params: Mapping[str, str], *names: str) -> None:
    """Reject a request that lacks one of the names or sends it empty."""
    for name in names:
        if name not in params:
            raise Rejected("400172", "Parameter verification failed")
        if not params[name]:
            raise empty(name)


def empty(name: str) -> Rejected:
    """Return the rejection of an empty parameter, of a missing `endTime`, of an unknown product type."""
    return Rejected("40019", f"Parameter {name} cannot be empty")


def unknown(symbol: str) -> Rejected:
    """Return the rejection of a symbol that is not there, or not of the product type."""
    return Rejected("40034", f"Parameter {symbol} does not exist")


def product_type_of(text: str) -> str:
    """Return a product type in capitals; it may be sent in lower case."""
    if text.upper() not in PRODUCT_TYPES:
        raise empty(text)
    return text.upper()


def market_of(symbol: str, archive: Archive) -> Market:
    """Return the market of a symbol that is listed, or was and has not been removed."""
    market = archive.market(symbol)
    if market is None:
        raise unknown(symbol)
    if is_removed(market, archive):
        raise Rejected("40309", "The symbol has been removed")
    return market


def is_removed(market: Market, archive: Archive) -> bool:
    """Whether a market has been without trading for so long that its symbol is gone."""
    if market.delisted is None:
        return False
    return archive.clock.now() >= market.delisted + archive.faults.quirks.bitget.removed_after


def limit_of(params: Mapping[str, str], default: int, maximum: int) -> int:
    """Return the page size; one out of range is refused, not cut."""
    text = params.get("limit", str(default))
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Rejected("40017", "Parameter verification failed")
    if not 0 < int(text) <= maximum:
        raise Rejected("40053", f"Value range verification failed: limit should be between (0, {maximum}]")
    return int(text)


def instant_of(params: Mapping[str, str], name: str) -> int | None:
    """Return a time in ms UTC, None where it was not sent."""
    text = params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text):
        raise Rejected("40020", f"Parameter {name} error")
    return int(text)
