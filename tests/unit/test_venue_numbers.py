"""Numbers as venues write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.columns import NO_TRADES
from backend.web.venues.numbers import padded, plain, step, texts

AMOUNTS = st.floats(min_value=0, max_value=1e20) | st.floats(min_value=0, max_value=1e-6)


@given(AMOUNTS)
def test_a_number_reads_back_as_the_same_and_has_no_exponent(value: float) -> None:
    for text in (plain(value), padded(value)):
        assert float(text) == value
        assert set(text) <= set("0123456789.")


@given(AMOUNTS)
def test_a_padded_number_has_eight_decimals_or_more(value: float) -> None:
    assert len(padded(value).partition(".")[2]) >= 8


@pytest.mark.parametrize(
    ("value", "short", "long"),
    [
        (84128.0, "84128", "84128.00000000"),
        (84128.5, "84128.5", "84128.50000000"),
        (1e-10, "0.0000000001", "0.0000000001"),
        (0.0, "0", "0.00000000"),
        (2e16, "20000000000000000", "20000000000000000.00000000"),
    ],
)
def test_examples(value: float, short: str, long: str) -> None:
    assert (plain(value), padded(value)) == (short, long)


def test_what_is_absent_stays_so() -> None:
    assert texts(None, 2, plain) == [None, None]
    assert texts(np.array([1.5, np.nan]), 2, plain) == ["1.5", None]
    assert texts(np.array([7, NO_TRADES]), 2, int) == [7, None]


def test_a_step_is_the_smallest_difference() -> None:
    assert [step(decimals) for decimals in (0, 2, 10)] == ["1", "0.01", "0.0000000001"]
