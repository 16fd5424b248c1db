"""The tree of deliberate errors."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from backend import errors
from backend.errors import Banned, MarketDataError, RateLimited


def tree(kind: type[MarketDataError] = MarketDataError, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Depth and name of every error of the service, parents before children."""
    yield depth, kind.__name__
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child, depth + 1)


def drawn() -> Iterator[tuple[int, str]]:
    """Depth and name of every error as the module's docstring draws them."""
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([ │├└─]*)([A-Z]\w+)", line):
            yield len(found[1]) // 4, found[2]


def codes() -> list[str]:
    """The code of every error, in the order of the tree."""
    return [getattr(errors, name).code for _, name in tree()]


def test_the_tree_is_drawn_as_it_is() -> None:
    assert list(drawn()) == list(tree())


def test_every_error_has_a_code_of_its_own() -> None:
    assert len(set(codes())) == len(codes()) == len(list(drawn()))


def test_every_code_is_a_word_in_snake_case() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes())


def test_an_error_says_what_happened_and_has_the_code_of_its_kind() -> None:
    error = RateLimited("binance answered 429", retry_after=12.0)
    assert (str(error), error.code, error.retry_after) == ("binance answered 429", "rate_limited", 12.0)


def test_one_error_may_have_a_narrower_code_than_its_kind() -> None:
    assert errors.InvalidRequest("limit?", code="invalid_limit").code == "invalid_limit"
    assert errors.InvalidRequest("limit?").code == "invalid_request"


def test_when_to_come_back_is_unknown_unless_said() -> None:
    assert Banned("go away").retry_after is None


@pytest.mark.parametrize(
    ("kind", "ancestor"),
    [
        (errors.Banned, errors.ExchangeUnavailable),
        (errors.RegionBlocked, errors.ExchangeError),
        (errors.SeriesNotStored, errors.NotFound),
    ],
)
def test_who_catches_a_kind_catches_its_narrower_kinds(
    kind: type[MarketDataError], ancestor: type[MarketDataError]
) -> None:
    assert issubclass(kind, ancestor)
