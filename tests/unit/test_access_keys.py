"""API keys: what is read, what is refused, and that the key itself is kept nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.access.keys import ApiKey, digest_of, find_key, read_keys

BOT, ADMIN = "bot-key-0123456789", "admin+key=/0123456789"
TEXT = f"bot:{BOT}:read,admin:{ADMIN}:read+write"

VISIBLE = [chr(code) for code in range(33, 127) if chr(code) not in ",:"]


def test_names_and_scopes_are_read() -> None:
    bot, admin = read_keys(TEXT)
    assert (bot.name, bot.scopes) == ("bot", frozenset(["read"]))
    assert (admin.name, admin.scopes) == ("admin", frozenset(["read", "write"]))


def test_no_text_means_no_keys() -> None:
    assert read_keys("") == ()


def test_blanks_around_an_entry_do_not_matter() -> None:
    assert read_keys(TEXT.replace(",", " ,\n ")) == read_keys(TEXT)


def test_a_key_is_found_by_itself_and_by_nothing_else() -> None:
    keys = read_keys(TEXT)
    assert find_key(keys, BOT) == keys[0]
    assert find_key(keys, ADMIN) == keys[1]
    for stranger in ("", BOT[:-1], BOT + "x", BOT.upper(), digest_of(BOT).hex(), "é", "\udcff"):
        assert find_key(keys, stranger) is None


@given(st.text(st.sampled_from(VISIBLE), min_size=16, max_size=200), st.text())
def test_only_the_very_key_is_found(key: str, other: str) -> None:
    (known,) = read_keys(f"name:{key}:write")
    assert find_key([known], key) is known
    assert find_key([known], other) is (known if other == key else None)


def test_neither_the_key_nor_its_digest_is_shown() -> None:
    (key,) = read_keys(f"bot:{BOT}:read")
    shown = repr(key) + str(key)
    assert BOT not in shown
    assert digest_of(BOT).hex() not in shown
    assert repr(digest_of(BOT)) not in shown
    assert "bot" in shown


def test_a_key_holds_no_more_than_a_digest() -> None:
    (key,) = read_keys(f"bot:{BOT}:read")
    assert key == ApiKey("bot", digest_of(BOT), frozenset(["read"]))
    assert len(key.digest) == 32


@pytest.mark.parametrize(
    "entry",
    [
        "bot",
        f"bot:{BOT}",
        f"bot:{BOT}:",
        f"bot:{BOT}:root",
        f"bot:{BOT}:read+",
        f"bot:{BOT}:read write",
        f"bot:{BOT}:read:write",
        f":{BOT}:read",
        f"a bot:{BOT}:read",
        f"{'b' * 33}:{BOT}:read",
        "bot:fifteen-letters:read",
        f"bot:{'k' * 201}:read",
        "bot:key with blanks in it:read",
        "bot:schlüssel-mit-umlaut:read",
        f"bot:{BOT}:read,",
        f"bot:{BOT}:read,bot:{ADMIN}:read",
        f"bot:{BOT}:read,admin:{BOT}:write",
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(entry: str) -> None:
    with pytest.raises(ValueError, match="give name:key:scopes") as caught:
        read_keys(entry)
    assert BOT not in str(caught.value)


def test_a_refusal_names_the_entry_by_its_number() -> None:
    with pytest.raises(ValueError, match="entry 2 "):
        read_keys(f"{TEXT.split(',')[0]},nonsense")
