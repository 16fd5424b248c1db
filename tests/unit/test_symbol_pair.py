"""The halves of a symbol, from its spelling alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.symbol_pair import QUOTES, Pair, split_symbol, splits


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [
        ("BTCUSDT", "BTC", "USDT"),
        ("ETHBTC", "ETH", "BTC"),
        ("BTCFDUSD", "BTC", "FDUSD"),
        ("TUSDUSDT", "TUSD", "USDT"),
        ("BTCTUSD", "BTC", "TUSD"),
        ("USDCUSDT", "USDC", "USDT"),
        ("1000PEPEUSDT", "1000PEPE", "USDT"),
        ("BTC-USD", "BTC", "USD"),
        ("币安人生USDT", "币安人生", "USDT"),
    ],
)
def test_symbols_are_cut_before_their_quote(symbol: str, base: str, quote: str) -> None:
    assert split_symbol(symbol) == (base, quote)


@pytest.mark.parametrize("symbol", ["USDT", "BTC", "BTCPERP", "", "-", "A-B-C"])
def test_a_symbol_that_does_not_tell_is_not_cut(symbol: str) -> None:
    assert split_symbol(symbol) is None


@given(st.text("ABCDEFGXYZ0123456789", min_size=1, max_size=10), st.sampled_from(QUOTES))
def test_nothing_is_lost(base: str, quote: str) -> None:
    found = split_symbol(base + quote)
    assert found is not None
    assert found.base + found.quote == base + quote
    assert found.quote.endswith(quote)


def test_a_symbol_that_can_be_cut_in_two_ways_is_cut_at_the_longest_quote_first() -> None:
    assert splits("BTCAEUR") == [Pair("BTC", "AEUR"), Pair("BTCA", "EUR")]
    assert splits("USDT") == splits("NOPE") == []
