"""Keys are sealed for one account, opened by any master key, and shown by nothing."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import KeysSealed
from backend.services.accounts.vault import Vault, name_of, new_master_key
from backend.settings import load_settings
from backend.trading.account import Sealed
from backend.trading.account_keys import Keys
from tests.private import KEYS, SECRETS, shown

OLD, NEW = new_master_key(), new_master_key()
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)


@given(PRINTABLE, PRINTABLE, st.one_of(st.just(""), PRINTABLE))
def test_what_is_sealed_opens_to_the_same_keys(key: str, secret: str, passphrase: str) -> None:
    keys = Keys(key, secret, passphrase)
    vault = Vault([NEW])
    assert vault.open("a1", "bitget", vault.seal("a1", "bitget", keys)) == keys


def test_sealed_text_shows_nothing_and_differs_each_time() -> None:
    vault = Vault([NEW])
    one, two = (vault.seal("a1", "bitget", KEYS) for _ in range(2))
    assert one.text != two.text
    texts = [one.text, repr(one), str(one), repr(vault), name_of(NEW)]
    assert [text for text in texts if shown(text) or NEW in text] == []
    assert one.text not in repr(one)


@pytest.mark.parametrize(("account", "venue"), [("a2", "bitget"), ("a1", "bingx"), ("", "")])
def test_keys_of_another_account_do_not_open(account: str, venue: str) -> None:
    vault = Vault([NEW])
    with pytest.raises(KeysSealed, match="another account") as refused:
        vault.open(account, venue, vault.seal("a1", "bitget", KEYS))
    assert not shown(str(refused.value))


@pytest.mark.parametrize("text", ["", "gAAAA", "é", "x" * 500])
def test_what_is_no_sealed_text_does_not_open(text: str) -> None:
    with pytest.raises(KeysSealed, match="MASTER_KEYS"):
        Vault([NEW]).open("a1", "bitget", Sealed(text, "0a1b"))


def test_a_changed_letter_does_not_open() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("a1", "bitget", KEYS)
    for place in range(0, len(sealed.text), 7):
        letter = "B" if sealed.text[place] == "A" else "A"
        changed = Sealed(f"{sealed.text[:place]}{letter}{sealed.text[place + 1 :]}", sealed.by)
        with pytest.raises(KeysSealed):
            vault.open("a1", "bitget", changed)


def test_the_first_master_key_seals_and_all_open() -> None:
    old, both, new = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    sealed = old.seal("a1", "bitget", KEYS)
    assert both.open("a1", "bitget", sealed) == KEYS
    assert (both.is_newest(sealed), old.is_newest(sealed)) == (False, True)
    with pytest.raises(KeysSealed) as refused:
        new.open("a1", "bitget", sealed)
    assert name_of(OLD) in str(refused.value)
    assert OLD not in str(refused.value)
    again = both.seal("a1", "bitget", both.open("a1", "bitget", sealed))
    assert new.open("a1", "bitget", again) == KEYS


def test_new_master_keys_are_taken_by_the_settings_and_never_shown() -> None:
    settings = load_settings({"MASTER_KEYS": f"{NEW},{OLD}"})
    assert settings.master_keys == (NEW, OLD)
    assert {NEW, OLD} <= settings.secrets
    assert NEW not in repr(settings)


def test_a_file_of_master_keys_has_one_a_line(tmp_path: object) -> None:
    path = f"{tmp_path}/keys"
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{NEW}\n{OLD}\n")
    assert load_settings({"MASTER_KEYS_FILE": path}).master_keys == (NEW, OLD)


def test_pickled_keys_are_the_only_text_of_them_that_shows_them() -> None:
    assert all(secret.encode() in pickle.dumps(KEYS) for secret in SECRETS)
    assert not shown(repr(KEYS))
