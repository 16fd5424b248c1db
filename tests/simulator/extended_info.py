"""Extended's listings: markets with their statistics, and assets.

Source: https://api.docs.extended.exchange/#get-markets and the answers quoted in the ccxt library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.answers import Answer
from tests.simulator.archive import Archive
from tests.simulator.bitget_quotes import paid_at
from tests.simulator.decimals import trimmed, unit
from tests.simulator.extended_answers import refused, success
from tests.simulator.intervals import MINUTES
from tests.simulator.markets import Market
from tests.simulator.quotes import book_of, day_of
from tests.simulator.times import HOUR, MINUTE, parse_instant

STARKNET = parse_instant("2025-07-18T09:05:32Z")
"""When the exchange moved; `createdAt` tells it of every older market, which does have older candles."""


def name_of(market: Market) -> str:
    """Return the market's name as Extended spells it."""
    return f"{market.base}-{market.quote}"


def shown_market(market: Market, archive: Archive) -> dict[str, Any]:
    """Return a market as the listing shows it."""
    now = archive.clock.now()
    active = market.delisted is None or now < market.delisted
    return {
        "name": name_of(market),
        "uiName": name_of(market),
        "type": "PERPETUAL",
        "category": "Crypto",
        "subCategory": "L1",
        "assetName": market.base,
        "assetPrecision": market.volume_decimals,
        "collateralAssetName": market.quote,
        "collateralAssetPrecision": 6,
        "description": market.base,
        "active": active,
        "status": "ACTIVE" if active else "DELISTED",
        "marketStats": statistics(market, archive),
        "tradingConfig": _trading(market),
        "visibleOnUi": active,
        "createdAt": STARKNET if market.listed < STARKNET <= now else market.listed,
    }


def statistics(market: Market, archive: Archive) -> dict[str, Any]:
    """Return a market's last day in numbers, none where nothing traded; prices of marks and index are the
    last one."""
    now = archive.clock.now()
    day = day_of(market, archive)
    if day is None:
        return {}
    change = float(day.close) - float(day.open)
    last = trimmed(day.close)
    return {
        "dailyVolume": trimmed(day.quote_volume),
        "dailyVolumeBase": trimmed(day.volume),
        "dailyPriceChange": f"{change:.{market.price_decimals}f}",
        "dailyPriceChangePercentage": f"{change / float(day.open):.4f}",
        "dailyLow": trimmed(day.low),
        "dailyHigh": trimmed(day.high),
        **dict.fromkeys(("lastPrice", "askPrice", "bidPrice", "markPrice", "indexPrice"), last),
        "fundingRate": "0.000013",
        "nextFundingRate": now - now % HOUR + HOUR,
        "openInterest": "0",
        "openInterestBase": "0",
    }


def order_book(market: Market, archive: Archive) -> dict[str, Any]:
    """Return a market's whole order book."""
    bids, asks = book_of(market, archive)
    return {
        "market": name_of(market),
        "bid": [{"qty": size, "price": price} for price, size in bids],
        "ask": [{"qty": size, "price": price} for price, size in asks],
    }


def newest_trades(market: Market, archive: Archive) -> list[dict[str, Any]]:
    """Return the last trade of each of the last minutes, in no order; every tenth is a liquidation."""
    until = archive.finished_until(MINUTES)
    rows = [row for row in archive.minutes(market, until - HOUR, until) if row.trades]
    return [
        {
            "i": 2**53 + row.open_time,
            "m": name_of(market),
            "S": ("BUY", "SELL")[row.open_time // MINUTE % 2],
            "tT": "TRADE" if row.open_time // MINUTE % 10 else "LIQUIDATION",
            "T": row.open_time + MINUTE - 1,
            "p": trimmed(row.close),
            "q": trimmed(row.volume),
        }
        for row in rows
    ]


def funding(market: Market, archive: Archive, params: Mapping[str, str]) -> Answer:
    """Answer with what was paid each hour in a time, the newest first."""
    start, end, limit = (params.get(name, "") for name in ("startTime", "endTime", "limit"))
    if not (start.isdigit() and end.isdigit() and (limit or "1").isdigit()):
        return refused(400)
    newest = min(int(end), archive.clock.now()) // HOUR * HOUR
    times = range(newest, max(int(start), market.listed) - 1, -HOUR)[: min(int(limit or 10_000), 10_000)]
    return success([{"m": name_of(market), "T": time, "f": paid_at(time)} for time in times])


def shown_assets(markets: Sequence[Market], now: int) -> list[dict[str, Any]]:
    """Return the collateral and the traded assets."""
    names = dict.fromkeys([market.quote for market in markets])
    names.update(dict.fromkeys([market.base for market in markets]))
    quotes = {market.quote for market in markets}
    return [
        {
            "id": number,
            "name": name,
            "symbol": name,
            "precision": 6,
            "isActive": True,
            "isCollateral": name in quotes,
            "createdAt": min(STARKNET, now),
        }
        for number, name in enumerate(names, 1)
    ]


def _trading(market: Market) -> dict[str, Any]:
    return {
        "minOrderSize": unit(market.volume_decimals),
        "minOrderSizeChange": unit(market.volume_decimals),
        "minPriceChange": unit(market.price_decimals),
        "maxMarketOrderValue": "3000000",
        "maxLimitOrderValue": "15000000",
        "maxPositionValue": "60000000",
        "maxLeverage": "50.00",
        "hourlyFundingRateCap": "0.25",
    }
