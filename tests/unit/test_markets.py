"""From a user's words to a series."""

from __future__ import annotations

import pytest

from backend.core.series import Series, canonical_symbol
from backend.errors import InvalidRequest
from backend.services.syncing.markets import Markets
from tests.fakes import START, FakeClock, ScriptedSource, minute

SPOT, PERPETUAL, OTHER = ScriptedSource(), ScriptedSource(), ScriptedSource()
MARKETS = Markets({"binance": {"spot": SPOT, "perpetual": PERPETUAL}, "bitget": {"spot": OTHER}})


def test_a_symbol_alone_means_binance_spot() -> None:
    assert MARKETS.series("btc-usdt") == Series("binance", "spot", "BTCUSDT")


def test_an_exchange_and_a_market_can_be_named() -> None:
    assert MARKETS.series("BTCUSDT", "binance", "perpetual") == Series("binance", "perpetual", "BTCUSDT")


@pytest.mark.parametrize(
    ("series", "source"),
    [
        (Series("binance", "spot", "BTCUSDT"), SPOT),
        (Series("binance", "perpetual", "BTCUSDT"), PERPETUAL),
        (Series("bitget", "spot", "BTCUSDT"), OTHER),
    ],
)
def test_a_series_has_the_source_of_its_market(series: Series, source: ScriptedSource) -> None:
    assert MARKETS.source(series) is source


def test_a_market_has_the_source_by_its_names() -> None:
    assert MARKETS.named("binance", "perpetual") is PERPETUAL
    assert MARKETS.named("bitget", "spot") is OTHER


@pytest.mark.parametrize(
    ("exchange", "market", "code"),
    [
        ("kraken", "spot", "unknown_exchange"),
        ("kraken", "options", "unknown_exchange"),
        ("bitget", "perpetual", "unknown_market"),
        ("", "spot", "unknown_exchange"),
        ("binance", "", "unknown_market"),
    ],
)
def test_a_market_that_is_not_there_is_told_by_what_is_wrong_first(
    exchange: str, market: str, code: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        MARKETS.named(exchange, market)
    assert caught.value.code == code


class NeverAsked(ScriptedSource):
    """A venue whose clock was not read yet."""

    def known_now(self) -> int | None:
        return None


def test_the_time_is_the_exchanges_where_it_is_known_and_else_this_machines() -> None:
    here, there = FakeClock(START), ScriptedSource(clock=FakeClock(minute(7)))
    markets = Markets({"binance": {"spot": there, "perpetual": NeverAsked()}})
    assert markets.known_now(Series("binance", "spot", "BTCUSDT"), here) == minute(7)
    assert markets.known_now(Series("binance", "perpetual", "BTCUSDT"), here) == START


class WithHyphens(ScriptedSource):
    """A venue whose symbols keep the sign between base and quote."""

    def canonical(self, text: str) -> str:
        return canonical_symbol(text, separator="-")


@pytest.mark.parametrize("text", ["BTC-USD", "btc/usd", " Btc-Usd "])
def test_a_symbol_is_spelt_as_its_market_spells_it(text: str) -> None:
    markets = Markets({"extended": {"perpetual": WithHyphens()}})
    assert markets.series(text, "extended", "perpetual") == Series("extended", "perpetual", "BTC-USD")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("BTCUSDT", "kraken"), "unknown_exchange", "exchange 'kraken': give one of binance, bitget"),
        (("BTCUSDT", "Binance"), "unknown_exchange", "exchange 'Binance': give one of binance, bitget"),
        (
            ("BTCUSDT", "binance", "options"),
            "unknown_market",
            "market 'options': give one of perpetual, spot",
        ),
        (("BTCUSDT", "bitget", "perpetual"), "unknown_market", "market 'perpetual': give one of spot"),
        (("BTC USDT",), "invalid_symbol", "'BTC USDT' is not a symbol"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_those_that_are(
    words: tuple[str, ...], code: str, message: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        MARKETS.series(*words)
    assert caught.value.code == code
    assert message in str(caught.value)


def test_a_long_word_is_not_repeated_in_full() -> None:
    with pytest.raises(InvalidRequest) as caught:
        MARKETS.series("BTCUSDT", "x" * 10_000)
    assert len(str(caught.value)) < 120
