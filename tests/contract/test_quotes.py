"""Tickers and order books of every market, against the simulated exchanges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from tornado.ioloop import IOLoop

from backend.core.series import PRICES_ONLY, Series
from backend.errors import (
    ExchangeRefused,
    ExchangeUnavailable,
    MalformedAnswer,
    RateLimited,
    UnknownSymbol,
)
from backend.exchanges import EXCHANGES, QUOTES
from backend.services.service import Service
from tests.conftest import NOW
from tests.simulator import Simulator, SimulatorClock
from tests.simulator.archive import Archive
from tests.simulator.intervals import MINUTES
from tests.simulator.markets import Market
from tests.simulator.quotes import book_of, day_of

MARKETS = [
    Series(exchange.name, market, "BTC-USD" if exchange.name == "extended" else "BTCUSDT")
    for exchange in EXCHANGES.values()
    for market in exchange.markets
    if market not in PRICES_ONLY
]
every_market = pytest.mark.parametrize("series", MARKETS, ids=lambda series: series.name)
LEVELS = (1, 5, 7, 100, 1000)
DEEPEST = {"bitget.spot": 150, "bitget.perpetual": 100}
"""Where a venue tells fewer offers than others."""


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges with their limits, whose clock stands still in the middle of a minute."""
    simulated = Simulator(clock=SimulatorClock(NOW, frozen=True))
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


def simulated(simulator: Simulator, series: Series) -> tuple[Archive, Market]:
    """What the simulator has of a market."""
    archive = simulator.archive(series.exchange, series.market)
    market = archive.market(series.symbol.replace("-", ""))
    assert market is not None
    return archive, market


def test_every_market_tells_its_prices() -> None:
    assert QUOTES.keys() == {(series.exchange, series.market) for series in MARKETS}


@every_market
async def test_a_ticker_tells_what_the_exchange_has(
    service: Service, simulator: Simulator, series: Series
) -> None:
    told = await service.reading.quotes.ticker(series)
    archive, market = simulated(simulator, series)
    day, forming = day_of(market, archive), archive.forming(market, MINUTES)
    assert day is not None
    assert forming is not None
    ticker = told.said
    assert ticker.last == Decimal(forming.close)
    assert (ticker.high, ticker.low, ticker.volume) == tuple(map(Decimal, (day.high, day.low, day.volume)))
    assert ticker.quote_volume == Decimal(day.quote_volume)
    if series.exchange != "extended":
        assert ticker.open == Decimal(day.open)
        assert ticker.time == NOW
    if series.name != "binance.perpetual.BTCUSDT":
        assert ticker.bid is not None
        assert ticker.ask is not None
        assert ticker.bid <= ticker.last <= ticker.ask


@every_market
async def test_an_order_book_has_the_best_offers_and_as_many_as_asked_for(
    service: Service, simulator: Simulator, series: Series
) -> None:
    archive, market = simulated(simulator, series)
    bids, asks = book_of(market, archive)
    for levels in LEVELS:
        told = await service.reading.quotes.order_book(series, levels)
        expected = min(levels, DEEPEST.get(f"{series.exchange}.{series.market}", levels))
        assert [*told.said.bids] == [tuple(map(Decimal, pair)) for pair in bids[:expected]]
        assert [*told.said.asks] == [tuple(map(Decimal, pair)) for pair in asks[:expected]]


@every_market
async def test_a_symbol_that_the_exchange_does_not_know_is_unknown(service: Service, series: Series) -> None:
    unknown = replace(series, symbol="NO-USD" if series.exchange == "extended" else "NOUSDT")
    with pytest.raises(UnknownSymbol):
        await service.reading.quotes.ticker(unknown)
    with pytest.raises(UnknownSymbol):
        await service.reading.quotes.order_book(unknown, 5)


@every_market
async def test_an_exchange_that_is_away_is_told(
    service: Service, simulator: Simulator, series: Series
) -> None:
    simulator.faults.error_rate = 1.0
    with pytest.raises((ExchangeUnavailable, RateLimited)):
        await service.reading.quotes.ticker(series)


@every_market
def test_each_question_spends_from_a_limit_of_its_market(series: Series) -> None:
    quotes = QUOTES[series.exchange, series.market]
    counted = {limit.unit for limit in EXCHANGES[series.exchange].markets[series.market].budget.limits}
    for request in (
        quotes.ticker_request("BTCUSDT"),
        *(quotes.book_request("BTCUSDT", depth) for depth in quotes.depths),
    ):
        assert request.cost
        assert request.cost.keys() <= counted


@pytest.mark.parametrize("key", QUOTES, ids="-".join)
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"data":[]}', b'{"data":{}}', b"<html>", b"\xff", b"[" * 9999],
)
def test_what_is_no_ticker_and_no_book_is_malformed(key: tuple[str, str], body: bytes) -> None:
    for parse in (QUOTES[key].parse_ticker, QUOTES[key].parse_book):
        with pytest.raises(MalformedAnswer):
            parse(body)


@pytest.mark.parametrize("number", ["NaN", "-1", "1e19", "1e-31", "Infinity", "9" * 41, "0x10", ""])
def test_a_number_that_no_market_has_is_malformed(number: str) -> None:
    body = json.dumps({"bids": [[number, "1"]], "asks": []})
    with pytest.raises(MalformedAnswer):
        QUOTES["binance", "spot"].parse_book(body.encode())


def test_numbers_keep_every_digit() -> None:
    book = QUOTES["bitget", "perpetual"].parse_book(
        b'{"data":{"bids":[[26346.123456789012345678,0.1]],"asks":[["1.50","2"]],"ts":"1"}}'
    )
    assert str(book.bids[0].price) == "26346.123456789012345678"
    assert str(book.asks[0].price) == "1.50"
    assert book.time == 1


def test_trades_are_told_newest_first_each_digit_kept() -> None:
    question = QUOTES["extended", "perpetual"].trades
    assert question is not None
    rows = [
        {
            "i": 1844000421446684673,
            "m": "BTC-USD",
            "S": side,
            "tT": "TRADE",
            "T": time,
            "p": "58853.4",
            "q": size,
        }
        for side, time, size in (("SELL", 5, "1"), ("BUY", 7, "0.123456789012345678"))
    ]
    newest, older = question.parse(json.dumps({"status": "OK", "data": rows}).encode())
    assert (newest.time, newest.side, str(newest.size)) == (7, "buy", "0.123456789012345678")
    assert (older.id, older.side, older.kind) == ("1844000421446684673", "sell", "TRADE")
    for wrong in ({"p": "NaN"}, {"q": "-1"}, {"S": "LONG"}, {"T": None}):
        with pytest.raises(MalformedAnswer):
            question.parse(json.dumps({"data": [rows[0] | wrong]}).encode())


async def test_where_nobody_asks_for_trades_that_is_said(service: Service) -> None:
    with pytest.raises(ExchangeRefused, match="does not ask bitget for trades"):
        await service.reading.quotes.trades(Series("bitget", "perpetual", "BTCUSDT"))


@pytest.mark.parametrize("market", sorted(PRICES_ONLY))
async def test_at_a_price_that_nobody_trades_at_there_are_no_offers(service: Service, market: str) -> None:
    quotes = service.reading.quotes
    series = Series("binance", market, "BTCUSDT")
    for asked in (
        lambda: quotes.ticker(series),
        lambda: quotes.order_book(series, 5),
        lambda: quotes.funding(series),
        lambda: quotes.trades(series),
        lambda: quotes.funding_paid(series, 0, 1),
    ):
        with pytest.raises(ExchangeRefused, match="nobody trades"):
            await asked()
