"""Money is read exactly or refused, and steps are counted in whole numbers."""

from __future__ import annotations

import sys
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.trading.money import FINEST, LARGEST, exact, is_multiple, opposite, plain, round_down, total

NUMBERS = st.decimals(min_value=-(10**20), max_value=10**20, allow_nan=False, places=18)
STEPS = st.builds(lambda digit, power: Decimal(digit).scaleb(power), st.integers(1, 99), st.integers(-18, 6))


@given(NUMBERS)
def test_what_is_read_is_what_was_written(number: Decimal) -> None:
    with localcontext() as context:
        context.prec = 3  # whoever reads does not depend on how others count
        assert Fraction(exact(str(number))) == Fraction(number)
        assert Fraction(exact(number)) == Fraction(number)


@given(st.integers(-(10**LARGEST), 10**LARGEST))
def test_whole_numbers_are_read_to_the_last_digit(number: int) -> None:
    assert int(exact(number)) == number == int(exact(str(number)))


@given(NUMBERS)
def test_what_is_written_is_read_as_the_same_number_and_has_no_exponent(number: Decimal) -> None:
    text = plain(number)
    assert Fraction(text) == Fraction(number)
    assert not {"e", "E", "+"} & set(text)
    assert text not in ("", "-0")
    assert "." not in text or text[-1] not in "0."


@pytest.mark.parametrize(
    "said",
    [
        *("", " ", "-", ".", "+-1", "1 ", " 1", "1_000", "1,5", "0x10", "١٢", "1e", "1e5e5", "--1", "ten"),
        *(
            "NaN",
            "sNaN",
            "nan",
            "Infinity",
            "-inf",
            f"1e{LARGEST + 1}",
            f"1e{FINEST - 1}",
            "1e999999999",
            "9" * 81,
        ),
        *(f"1{'0' * LARGEST}0", "1e-999999999"),
    ],
)
def test_a_text_that_is_no_money_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"no number|too large or too fine"):
        exact(said)


@pytest.mark.parametrize("said", [1.5, float("nan"), None, True, False, b"1", [], {}])
def test_what_is_neither_text_nor_a_decimal_number_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="a number was expected"):
        exact(said)


@pytest.mark.parametrize("said", [10**4000, 10**50, Decimal("NaN"), Decimal("Infinity"), Decimal("1E+50")])
def test_a_number_that_is_no_money_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match=r"no number|too large or too fine"):
        exact(said)


@given(st.text(max_size=100))
@example("0e-999999")
@example("0E+999999")
def test_any_text_is_refused_or_a_number_that_can_be_written(said: str) -> None:
    try:
        number = exact(said)
    except ValueError:
        return
    assert number.is_finite()
    assert sys.getsizeof(plain(number)) < 500


@given(NUMBERS)
def test_the_opposite_keeps_every_digit(number: Decimal) -> None:
    assert Fraction(opposite(number)) == -Fraction(number)
    assert str(opposite(Decimal("0.00"))) == "0.00"


@given(st.lists(NUMBERS, max_size=20))
def test_a_sum_keeps_every_digit(numbers: list[Decimal]) -> None:
    assert Fraction(total(numbers)) == sum(map(Fraction, numbers), Fraction(0))


@given(NUMBERS, STEPS)
def test_a_size_is_rounded_to_its_step_and_never_grows(number: Decimal, step: Decimal) -> None:
    rounded = round_down(number, step=step)
    assert Fraction(rounded) % Fraction(step) == 0
    assert is_multiple(rounded, step=step)
    assert abs(Fraction(rounded)) <= abs(Fraction(number)) < abs(Fraction(rounded)) + Fraction(step)
    assert round_down(rounded, step=step) == rounded


@given(NUMBERS, STEPS)
def test_a_number_is_a_multiple_when_rounding_changes_nothing(number: Decimal, step: Decimal) -> None:
    assert is_multiple(number, step=step) == (Fraction(number) % Fraction(step) == 0)


@pytest.mark.parametrize("step", ["0", "-0.1", "NaN", "Infinity"])
def test_a_step_that_is_none_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="a step is more than nothing"):
        round_down(Decimal(1), step=Decimal(step))
    with pytest.raises(ValueError, match="a step is more than nothing"):
        is_multiple(Decimal(1), step=Decimal(step))
