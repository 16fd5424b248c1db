"""Bitget's lists of markets: spot symbols, contracts, pairs with margin.

Source: https://www.bitget.com/api-doc/spot/market/Get-Symbols, .../contract/market/Get-All-Symbols-Contracts,
.../margin/common/support-currencies. There is no listing date.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.simulator.archive import Archive
from tests.simulator.bitget_params import is_removed, market_of, product_type_of, require
from tests.simulator.decimals import unit
from tests.simulator.markets import Market


def symbols(params: Mapping[str, str], archive: Archive) -> list[Any]:
    """Return the spot symbols, or the one asked for."""
    now = archive.clock.now()
    return [_symbol(market, now) for market in _chosen(params, archive)]


def contracts(params: Mapping[str, str], archive: Archive) -> list[Any]:
    """Return the contracts of a product type; all that the simulator trades is margined in USDT."""
    require(params, "productType")
    if product_type_of(params["productType"]) != "USDT-FUTURES":
        return []
    now = archive.clock.now()
    return [_contract(market, now) for market in _chosen(params, archive)]


def margin_pairs(params: Mapping[str, str], archive: Archive) -> list[Any]:
    """Return the spot pairs that may be traded on credit."""
    return [_margin_pair(market) for market in _chosen(params, archive)]


def _chosen(params: Mapping[str, str], archive: Archive) -> list[Market]:
    if "symbol" in params:
        return [market_of(params["symbol"], archive)]
    return [market for market in archive.named(archive.listed()) if not is_removed(market, archive)]


def _ended(market: Market, now: int) -> bool:
    return market.delisted is not None and now >= market.delisted


def _symbol(market: Market, now: int) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": "900000000000000000000",
        "takerFeeRate": "0.002",
        "makerFeeRate": "0.002",
        "pricePrecision": str(market.price_decimals),
        "quantityPrecision": str(market.volume_decimals),
        "quotePrecision": "8",
        "status": "offline" if _ended(market, now) else "online",
        "minTradeUSDT": "1",
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "offTime": str(market.delisted) if _ended(market, now) else "",
    }


def _contract(market: Market, now: int) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "makerFeeRate": "0.0002",
        "takerFeeRate": "0.0006",
        "supportMarginCoins": [market.quote],
        "minTradeNum": unit(market.volume_decimals),
        "priceEndStep": "1",
        "volumePlace": str(market.volume_decimals),
        "pricePlace": str(market.price_decimals),
        "sizeMultiplier": unit(market.volume_decimals),
        "symbolType": "perpetual",
        "minTradeUSDT": "5",
        "symbolStatus": "off" if _ended(market, now) else "normal",
        "offTime": str(market.delisted) if _ended(market, now) else "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": "150",
        "maintainTime": "",
        "isRwa": "NO",
    }


def _margin_pair(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "maxCrossedLeverage": "3",
        "maxIsolatedLeverage": "10",
        "minTradeAmount": "0.0001",
        "maxTradeAmount": "10000",
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "pricePrecision": str(market.price_decimals),
        "quantityPrecision": str(market.volume_decimals),
        "minTradeUSDT": "5",
        "isBorrowable": True,
        "status": "1",
        "isIsolatedBaseBorrowable": True,
        "isIsolatedQuoteBorrowable": True,
        "isCrossBorrowable": True,
    }
