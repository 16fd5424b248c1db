"""The tree of deliberate errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from backend import errors
from backend.errors import Banned, MarketDataError, RateLimited, told_codes


def tree(kind: type[MarketDataError] = MarketDataError) -> Iterator[type[MarketDataError]]:
    """Every error of the service, parents before children."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


def codes() -> list[str]:
    """The code of every error, and the narrower ones."""
    return [code for kind in tree() for code in (kind.code, *vars(kind).get("narrower", ()))]


def test_every_error_has_codes_of_its_own() -> None:
    assert len(set(codes())) == len(codes()) > 30
    assert all("code" in vars(kind) and "about" in vars(kind) for kind in tree())


def test_every_code_that_a_client_can_meet_has_a_sentence() -> None:
    told = {code: about for _, code, about in told_codes()}
    assert set(codes()) - set(told) == {
        *("invalid_configuration", "not_found", "exchange_error", "notice_not_delivered"),
    }
    assert [
        code for code, about in told.items() if not (about[0] in f"`{about[0].upper()}" and about[-1] == ".")
    ] == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.UnknownJob, HTTPStatus.NOT_FOUND),
        (errors.Banned, HTTPStatus.SERVICE_UNAVAILABLE),
        (errors.RegionBlocked, HTTPStatus.BAD_GATEWAY),
        (errors.ConfigurationError, HTTPStatus.INTERNAL_SERVER_ERROR),
    ],
)
def test_a_kind_inherits_its_status(kind: type[MarketDataError], status: HTTPStatus) -> None:
    assert kind("?").status == status


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
