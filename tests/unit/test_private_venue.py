"""What a private venue is: keys that no text shows, refusals, fates, and exact answers."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import (
    ClockRefused,
    ExchangeError,
    ExchangeRefused,
    KeysRefused,
    MalformedAnswer,
    ModeRefused,
    OrderAbsent,
    OutcomeUnknown,
    RateLimited,
)
from backend.exchanges.base import Answer, Request
from backend.exchanges.private.refusals import Acceptance, Meaning, Refusal, error_of
from backend.exchanges.private.venue import Call
from backend.exchanges.private.wire import Id, When, read
from backend.net.rest.requester import helps_to_retry
from backend.trading.account_keys import Keys
from backend.trading.intents import has_never_arrived
from backend.trading.money import Exact
from tests.private import KEYS, SECRETS, shown

TIMES = st.integers(0, 10_000)


def answer(said: object) -> Answer:
    return Answer(200, {}, said if isinstance(said, bytes) else json.dumps(said).encode())


class Thing(msgspec.Struct, rename="camel"):
    size: Exact
    price: Exact | None = None
    order_id: Id = ""
    made_at: When = 0
    parts: list[Exact] = []


def test_no_text_of_keys_shows_them() -> None:
    call = Call(Request("/orders"), lambda answer: answer.body)
    texts = [f"{KEYS}", f"{KEYS!r}", repr([KEYS]), repr(call), repr(call.signed(lambda _r, _m: None))]  # type: ignore[arg-type, return-value]
    assert [text for text in texts if shown(text)] == []
    assert shown(json.dumps(asdict(KEYS)))  # so a text that did would be seen


def test_keys_are_equal_by_value_and_are_never_changed() -> None:
    assert replace(KEYS) == KEYS == pickle.loads(pickle.dumps(KEYS))
    with pytest.raises(AttributeError):
        KEYS.secret = "another"  # type: ignore[misc]


@pytest.mark.parametrize("bad", ["", "two\r\nlines", "nul\0", "ключ", "k" * 513])
def test_keys_that_no_header_can_carry_are_refused_without_showing_them(bad: str) -> None:
    for keys in ((bad, "s"), ("k", bad), ("k", "s", bad or "\n")):
        with pytest.raises(ValueError, match="printable") as refused:
            Keys(*keys)
        assert not bad or bad not in str(refused.value)


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        (Meaning.REFUSED, ExchangeRefused),
        (Meaning.UNKNOWN, OutcomeUnknown),
        (Meaning.RATE_LIMIT, RateLimited),
        (Meaning.CLOCK, ClockRefused),
        (Meaning.KEYS, KeysRefused),
        (Meaning.MODE, ModeRefused),
        (Meaning.ABSENT, OrderAbsent),
    ],
)
def test_each_meaning_is_an_error_of_its_own(meaning: Meaning, kind: type[ExchangeError]) -> None:
    error = error_of("venue", Refusal(meaning, "123", "the words", retry_after=7.0))
    assert type(error) is kind
    assert error.retry_after == 7.0
    assert "123" in str(error)
    assert "the words" in str(error)
    assert helps_to_retry(error) == (meaning in (Meaning.UNKNOWN, Meaning.RATE_LIMIT))


def test_a_long_refusal_is_cut() -> None:
    assert len(str(error_of("venue", Refusal(Meaning.REFUSED, "1" * 10_000, "x" * 10_000)))) < 1200


def test_what_a_venue_says_again_of_the_keys_is_hidden() -> None:
    said = f"wrong key {KEYS.key} for {KEYS.secret}{KEYS.passphrase}"
    assert not shown(KEYS.hidden_in(said))
    assert KEYS.hidden_in("nothing of them") == "nothing of them"


@given(st.text(max_size=20), st.lists(st.sampled_from(SECRETS), max_size=4))
def test_no_arrangement_of_keys_stays_in_a_text(between: str, secrets: list[str]) -> None:
    assert not shown(KEYS.hidden_in(between.join(secrets)))


def test_a_request_may_be_accepted_until_its_window_and_the_margin_are_over() -> None:
    assert Acceptance(window=5_000, margin=1_000).last_moment(100) == 6_100


@given(TIMES, st.lists(TIMES, max_size=5))
def test_a_request_never_arrived_only_after_its_last_moment_and_two_reads(
    last: int, absent: list[int]
) -> None:
    late = [one for one in absent if one > last]
    assert has_never_arrived(last, absent) == (len(late) >= 2)


@given(st.decimals(min_value=0, max_value=10**15, places=12), st.booleans())
def test_a_number_is_read_exactly_from_text_and_from_digits(number: Decimal, quoted: bool) -> None:
    text = format(number, "f")
    thing = read(Thing, answer(f'{{"size":{json.dumps(text) if quoted else text}}}'.encode()), "venue")
    assert format(thing.size, "f") == (text if number else "0")


def test_a_blank_field_is_an_absent_one() -> None:
    said = {"size": 1, "price": "", "orderId": None, "madeAt": "", "parts": None, "unknown": {"x": ""}}
    assert read(Thing, answer(said), "venue") == Thing(size=Exact(1))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"size": ""},
        {"size": None},
        {"size": "NaN"},
        {"size": "1_0"},
        {"size": True},
        {"size": []},
        {"size": "1", "price": "x"},
        {"size": "1", "madeAt": -1},
        {"size": "1", "madeAt": 10**18},
        {"size": "1", "madeAt": "1.5"},
        {"size": "1", "orderId": []},
        {"size": "1", "orderId": -1},
        {"size": "1", "orderId": "9" * 101},
        b'{"size":"1","orderId":' + b"9" * 5000 + b"}",
        b'{"size":' + b"9" * 5000 + b"}",
        {"size": "1", "parts": ["1", "Infinity"]},
        [],
        "text",
        b"",
        b"<html>",
        b"\xff\xfe",
        b'{"size":1e999}',
        b'{"size":NaN}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_money_is_a_malformed_answer(said: object) -> None:
    with pytest.raises(MalformedAnswer, match="venue sent an answer that cannot be read"):
        read(Thing, answer(said), "venue")


@pytest.mark.parametrize("put", [lambda s: {"size": s}, lambda s: {"size": "1", "madeAt": s}, lambda s: [s]])
def test_the_error_of_a_malformed_answer_shows_nothing_of_it(put: Callable[[str], object]) -> None:
    with pytest.raises(MalformedAnswer) as refused:
        read(Thing, answer(put(KEYS.secret)), "venue")
    assert not shown(str(refused.value))
