"""Names of series and spellings of symbols."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.series import Series, canonical_symbol


def test_a_series_is_named_after_its_exchange_market_and_symbol() -> None:
    assert Series("binance", "spot", "BTCUSDT").name == "binance.spot.BTCUSDT"


@pytest.mark.parametrize(
    "text",
    [
        "BTCUSDT",
        "btcusdt",
        "BTC-USDT",
        "btc/usdt",
        " BtcUsdt\n",
        "BTC/USDT:USDT",
        "btc-usdt:usdt",
        "BTCUSDT:USDT",
    ],
)
def test_one_symbol_has_one_spelling(text: str) -> None:
    assert canonical_symbol(text) == "BTCUSDT"


@pytest.mark.parametrize("text", ["BTC-USD", "btc-usd", "BTC/USD", " btc/usd", "BTC/USD:USDC"])
def test_a_separator_stays_between_base_and_quote_where_there_is_one(text: str) -> None:
    assert canonical_symbol(text, separator="-") == "BTC-USD"


@pytest.mark.parametrize("text", ["1INCHUSDT", "币安人生USDT", "A", "BTC_USDT.P", "X" * 50])
def test_every_name_that_an_exchange_may_list_passes(text: str) -> None:
    assert canonical_symbol(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "-",
        "/",
        ":",
        ":USDT",
        "BTC:",
        "BTC:A:B",
        "BTC:USDT ETH",
        "_BTC",
        ".BTC",
        "BTC USDT",
        "BTC$",
        "BTC\0",
        "BTC\nUSDT",
        "X" * 51,
        "X" * 10_000,
    ],
)
def test_a_text_that_no_exchange_could_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a symbol: use 1 to 50 letters and digits") as caught:
        canonical_symbol(text)
    assert len(str(caught.value)) < 150


@given(st.text(max_size=60) | st.text("abcXYZ019-/_.: ß", max_size=60), st.sampled_from(["", "-"]))
def test_the_canonical_spelling_of_a_canonical_spelling_is_itself(text: str, separator: str) -> None:
    try:
        symbol = canonical_symbol(text, separator)
    except ValueError:
        return
    assert canonical_symbol(symbol, separator) == symbol
    assert 1 <= len(symbol) <= 50
    assert not set(symbol) & (set(" -/:$\0\n") - set(separator))


@pytest.mark.parametrize("text", ["0.", "BTC.", "btc/usdt.", "0..0", "BTC..USDT"])
def test_no_symbol_has_an_empty_part_between_dots(text: str) -> None:
    """Its series would be a collection that the database does not take."""
    with pytest.raises(ValueError, match="is not a symbol"):
        canonical_symbol(text)
