"""How far a stream was told, as the text that a client sends back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.cursors import Cursors, parse_cursors, question_of
from backend.core.interval import INTERVALS, ONE_MINUTE
from backend.core.series import Series
from backend.core.windows import MINUTE
from tests.fakes import BTC, minute

ETH = Series("bitget", "spot", "ETHUSDT")
QUESTION = question_of([BTC, ETH], ONE_MINUTE)


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=100))
def test_a_text_says_how_far_each_series_was_told(ends: list[int]) -> None:
    cursors = Cursors(tuple(end * MINUTE for end in ends))
    assert parse_cursors(cursors.text(QUESTION), QUESTION, len(ends)) == cursors


def test_one_series_moves_without_the_others() -> None:
    cursors = Cursors((minute(1), minute(2), minute(3)))
    assert cursors.moved(1, minute(9)).ends == (minute(1), minute(9), minute(3))


@pytest.mark.parametrize("text", ["", "x", "00000000.1", f"{QUESTION}.1.", f"{QUESTION}.1.1--2", "9" * 5000])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an event id"):
        parse_cursors(text, QUESTION, 2)


def test_an_id_of_another_stream_is_refused() -> None:
    text = Cursors((minute(1), minute(2))).text(QUESTION)
    others = (question_of([ETH, BTC], ONE_MINUTE), question_of([BTC, ETH], INTERVALS["5m"]))
    for other in others:
        with pytest.raises(ValueError, match="other series"):
            parse_cursors(text, other, 2)
