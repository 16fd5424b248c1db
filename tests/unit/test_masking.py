"""No secret survives the mask, however it was quoted; what is none stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.settings import load_settings
from backend.telemetry.masking import CUT, HIDDEN, LONGEST, SHORTEST, masker, password_in

SECRET = "hunter2 s/3@c:ret%&'\"ñ"

QUOTED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda text: f"mongodb://me:{quote_plus(text)}@db:27017/?authSource=admin",
    "in a path": lambda text: f"GET /api/data/{quote(text, safe='')} 404",
    "in a query": lambda text: f"GET /api/stats/BTC?name={quote_plus(text)}&b=1",
    "as Python shows it": lambda text: f"ValueError({text!r})",
    "as JSON": lambda text: json.dumps({"password": text}),
}

LOOKS_SECRET = [
    "mongodb://me:hunter2@db/",
    "cannot connect to https://me:hunter2@exchange.example/path",
    "GET /api/data/BTCUSDT?api_key=hunter2 401",
    "GET /api/data/BTCUSDT?limit=1&API-KEY=hunter2&x=1 401",
    "GET /?token=hunter2",
    "GET /?signature=hunter2&timestamp=5",
    "GET /?password=hunter2",
    "X-Api-Key: hunter2",
    "HTTPHeaders({'X-Api-Key': 'hunter2', 'Host': 'h'})",
    "Authorization: Bearer hunter2",
    "{'authorization': 'Basic hunter2'}",
]

PLAIN = [
    "GET /api/data/BTCUSDT?limit=1&start_time=2025-06-01 200 1.2 ms",
    "listening at http://0.0.0.0:8888",
    "binance.spot.BTCUSDT: job 5d3b done: 1500 of 1500 minutes, 1500 new candles",
    "mail me@example.com",
]


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_known_secret_is_hidden(quoted: str) -> None:
    text = QUOTED[quoted](SECRET)
    masked = masker([SECRET])(f"before {text} after")
    assert HIDDEN in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "hunter2" not in masked


@given(st.text(min_size=SHORTEST, max_size=20), st.sampled_from(sorted(QUOTED)))
def test_any_secret_is_hidden(secret: str, quoted: str) -> None:
    told = QUOTED[quoted](secret)
    assert told not in masker([secret])(told)


@pytest.mark.parametrize("text", LOOKS_SECRET)
def test_what_looks_like_a_secret_is_hidden_though_nobody_knows_it(text: str) -> None:
    masked = masker([])(text)
    assert "hunter2" not in masked
    assert HIDDEN in masked


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masker([SECRET])(text) == text


def test_a_secret_inside_another_does_not_save_its_rest() -> None:
    assert masker(["abcd", "abcdefgh"])("abcdefgh") == HIDDEN


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("mongodb://me:p%40ss@db/x", "p%40ss"),
        ("mongodb://me:p:q@db", "p:q"),
        ("mongodb://db:27017/?a=b@c", ""),
        ("mongodb://me@db/", ""),
        ("https://u:pw@h/p", "pw"),
        ("", ""),
    ],
)
def test_the_password_in_a_url_is_found(url: str, password: str) -> None:
    assert password_in(url) == password


def test_the_settings_know_their_secrets() -> None:
    settings = load_settings(
        {
            "MONGODB_URI": "mongodb://me:first@db/",
            "MONGODB_USERNAME": "me",
            "MONGODB_PASSWORD": "second",
            "BITGET_URL": "http://me:third@mirror.example",
        }
    )
    assert settings.secrets == {"first", "second", "third"}
    assert load_settings({}).secrets == frozenset()


def test_a_long_text_is_cut_and_says_so() -> None:
    assert masker([])("a" * LONGEST) == "a" * LONGEST
    assert masker([])("a" * LONGEST + "b") == "a" * LONGEST + CUT


@pytest.mark.parametrize("quoted", QUOTED)
def test_no_part_of_a_known_secret_is_left_where_a_text_is_cut(quoted: str) -> None:
    told = QUOTED[quoted](SECRET)
    for before in range(LONGEST - len(told) - 1, LONGEST + 60):
        masked = masker([SECRET])(" " * before + told + " " * LONGEST)
        assert "hun" not in masked


@pytest.mark.parametrize("text", LOOKS_SECRET)
def test_no_part_of_what_looks_secret_is_left_where_a_text_is_cut(text: str) -> None:
    for before in range(LONGEST - len(text) - 1, LONGEST + 1):
        assert "hu" not in masker([])(" " * before + text + " " * LONGEST)
