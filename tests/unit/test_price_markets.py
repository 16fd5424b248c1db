"""Mark and index prices: where each venue is asked for them, and that its rows are read without trades."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.core.series import INDEX_PRICES, MARK_PRICES, PRICES_ONLY
from backend.core.windows import DAY, MINUTE, Window
from backend.errors import MalformedAnswer
from backend.exchanges import EXCHANGES, QUOTES
from backend.exchanges.base import Market

NOW = 1_790_000_040_000
AGES = {"young": 10 * MINUTE, "old": 90 * DAY}
ASKED = {
    ("binance", MARK_PRICES, "young"): ("/fapi/v1/markPriceKlines", {"symbol": "X"}),
    ("binance", INDEX_PRICES, "old"): ("/fapi/v1/indexPriceKlines", {"pair": "X"}),
    ("bitget", MARK_PRICES, "young"): ("/api/v2/mix/market/candles", {"symbol": "X", "kLineType": "mark"}),
    ("bitget", INDEX_PRICES, "young"): ("/api/v2/mix/market/candles", {"symbol": "X", "kLineType": "index"}),
    ("bitget", MARK_PRICES, "old"): ("/api/v2/mix/market/history-mark-candles", {"symbol": "X"}),
    ("bitget", INDEX_PRICES, "old"): ("/api/v2/mix/market/history-index-candles", {"symbol": "X"}),
    ("bingx", MARK_PRICES, "old"): ("/openApi/swap/v1/market/markPriceKlines", {"symbol": "X"}),
    ("extended", MARK_PRICES, "old"): ("/info/candles/X/mark-prices", {"interval": "PT1M"}),
    ("extended", INDEX_PRICES, "young"): ("/info/candles/X/index-prices", {"interval": "PT1M"}),
}
ROWS: dict[str, Any] = {
    "binance": [[NOW, "1.0", "4.0", "0.5", "2.0", "0", NOW + 59_999, "0", 60, "0", "0", "0"]],
    "bitget": {"code": "00000", "data": [[str(NOW), "1.0", "4.0", "0.5", "2.0", "0", "0"]]},
    "bingx": {
        "code": 0,
        "data": [
            {"open": "1.0", "close": "2.0", "high": "4.0", "low": "0.5", "volume": "0.00"}
            | {"openTime": NOW, "closeTime": NOW}
        ],
    },
    "extended": {"status": "OK", "data": [{"o": "1.0", "l": "0.5", "h": "4.0", "c": "2.0", "T": NOW}]},
}
MARKETS = [
    (exchange.name, market)
    for exchange in EXCHANGES.values()
    for market in exchange.markets.values()
    if market.name in PRICES_ONLY
]


def test_every_venue_has_those_that_it_offers() -> None:
    assert {(exchange, market.name) for exchange, market in MARKETS} == {
        *((exchange, MARK_PRICES) for exchange in EXCHANGES),
        *((exchange, INDEX_PRICES) for exchange in ("binance", "bitget", "extended")),
    }
    assert not {(exchange, market.name) for exchange, market in MARKETS} & QUOTES.keys()


@pytest.mark.parametrize(("asked", "expected"), ASKED.items())
def test_each_is_asked_for_at_its_own_place(
    asked: tuple[str, str, str], expected: tuple[str, dict[str, str]]
) -> None:
    exchange, name, age = asked
    market = EXCHANGES[exchange].markets[name]
    start = NOW - AGES[age]
    request = market.candles_request("X", Window(start, start + 5 * MINUTE), NOW)
    path, params = expected
    assert request.path == path
    assert params.items() <= request.params.items()
    assert set(request.cost) <= {limit.unit for limit in market.budget.limits}
    if market.earliest_request is not None:
        assert market.earliest_request("X").path == path
    else:
        assert market.newest_before_request is not None
        oldest = market.newest_before_request("X", start)
        assert oldest.path == ASKED.get((exchange, name, "old"), expected)[0]
        assert set(oldest.cost) <= {limit.unit for limit in market.budget.limits}


@pytest.mark.parametrize(("exchange", "market"), MARKETS, ids=lambda one: getattr(one, "name", one))
def test_a_row_has_prices_and_no_trades(exchange: str, market: Market) -> None:
    [candle] = market.parse_candles(json.dumps(ROWS[exchange]).encode())
    assert (candle.open_time, candle.open, candle.high, candle.low, candle.close) == (NOW, 1.0, 4.0, 0.5, 2.0)
    assert candle.volume == 0.0
    assert (candle.quote_volume, candle.trades, candle.taker_buy_volume) == (None, None, None)
    assert market.socket is None
    with pytest.raises(MalformedAnswer):
        market.parse_candles(b"{")
