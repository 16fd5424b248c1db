"""The simulator's invented markets: the same in every run, and plausible."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator import Market, default_markets
from tests.simulator.rows import Row
from tests.simulator.times import BLOCK, MINUTE, parse_instant

MARKETS = default_markets()
markets = st.sampled_from(MARKETS)
minutes = st.integers(parse_instant("2017-08-17") // MINUTE, parse_instant("2031-01-01") // MINUTE)


def identity(market: Market) -> tuple[object, ...]:
    return market.kind, market.venue, market.symbol


def candle(market: Market, minute: int) -> Row:
    """Return the candle of a minute (counted from the epoch)."""
    return market.minutes.block(minute * MINUTE // BLOCK)[minute % 1000]


@given(market=markets, minute=minutes)
def test_a_minute_follows_from_symbol_and_open_time_alone(market: Market, minute: int) -> None:
    again = next(fresh for fresh in default_markets() if identity(fresh) == identity(market))
    assert candle(market, minute) == candle(again, minute)
    assert candle(market, minute).open_time == minute * MINUTE


def test_values_do_not_change_between_versions() -> None:
    """The random generator of the standard library promises the same draws for the same seed."""
    assert candle(MARKETS[0], parse_instant("2025-06-02T23:59Z") // MINUTE) == Row(
        open_time=1748908740000,
        open="41957.09000000",
        high="41957.09000000",
        low="41929.28000000",
        close="41947.48000000",
        volume="55.91456000",
        quote_volume="2344864.21076290",
        trades=281,
        taker_buy_volume="24.89945000",
        taker_buy_quote_volume="1044197.23901395",
    )


@given(market=markets, minute=minutes)
def test_a_minute_opens_where_the_one_before_closed(market: Market, minute: int) -> None:
    assert candle(market, minute).open == candle(market, minute - 1).close


@given(market=markets, block=st.integers(30_000, 33_000))
def test_a_block_joins_the_next_one(market: Market, block: int) -> None:
    assert market.minutes.block(block)[-1].close == market.minutes.block(block + 1)[0].open


@given(market=markets, minute=minutes)
def test_a_candle_is_plausible(market: Market, minute: int) -> None:
    row = candle(market, minute)
    low, high, volume = Decimal(row.low), Decimal(row.high), Decimal(row.volume)
    quote_volume, taker = Decimal(row.quote_volume), Decimal(row.taker_buy_volume)
    assert 0 < low <= min(Decimal(row.open), Decimal(row.close))
    assert high >= max(Decimal(row.open), Decimal(row.close))
    assert low * volume <= quote_volume <= high * volume
    assert low * taker <= Decimal(row.taker_buy_quote_volume) <= high * taker
    assert 0 <= taker <= volume
    assert Decimal(row.taker_buy_quote_volume) <= quote_volume
    assert (row.trades > 0) == (volume > 0) == (quote_volume > 0)


@given(market=markets, minute=minutes)
def test_numbers_have_eight_decimals(market: Market, minute: int) -> None:
    texts = [slot for slot in candle(market, minute) if isinstance(slot, str)]
    assert all(len(text.partition(".")[2]) == 8 for text in texts)


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: ".".join(map(str, identity(market))))
def test_some_minutes_have_no_trades_and_repeat_the_previous_close(market: Market) -> None:
    block = market.minutes.block(29_000)
    flat = [(before, row) for before, row in pairwise(block) if row.trades == 0]
    assert 5 <= len(flat) <= 50
    for before, row in flat:
        assert row[1:] == (before.close,) * 4 + ("0.00000000", "0.00000000", 0, "0.00000000", "0.00000000")


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: ".".join(map(str, identity(market))))
def test_the_first_minute_has_trades(market: Market) -> None:
    assert candle(market, market.listed // MINUTE).trades > 0
