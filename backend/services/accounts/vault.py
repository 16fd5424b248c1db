"""Seals and opens keys. No other module does.

Fernet (https://github.com/fernet/spec) has no associated data. So the sealed text contains the account's
id: sealed keys that are copied to another account do not open there.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from backend.errors import KeysSealed
from backend.trading.account import Sealed
from backend.trading.account_keys import Keys


class _Inside(msgspec.Struct):
    """What is sealed."""

    account: str
    venue: str
    key: str
    secret: str
    passphrase: str

    def __repr__(self) -> str:
        return "_Inside(***)"


class Vault:
    """Seals with the first of the master keys, and opens with any of them."""

    def __init__(self, master_keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in master_keys])
        self._name = name_of(master_keys[0])

    def __repr__(self) -> str:
        return f"Vault({self._name})"

    def seal(self, account: str, venue: str, keys: Keys) -> Sealed:
        """The keys of an account, sealed for it alone."""
        inside = _Inside(account, venue, keys.key, keys.secret, keys.passphrase)
        return Sealed(self._fernet.encrypt(msgspec.json.encode(inside)).decode(), self._name)

    def open(self, account: str, venue: str, sealed: Sealed) -> Keys:
        """The keys. Raises KeysSealed if no master key opens them, or if they belong to another account."""
        try:
            inside = msgspec.json.decode(self._fernet.decrypt(sealed.text.encode()), type=_Inside)
        except (InvalidToken, UnicodeEncodeError, msgspec.DecodeError):
            raise KeysSealed(
                f"no key of MASTER_KEYS opens the keys of account {account}: add the master key "
                f"named {sealed.by}, which sealed them"
            ) from None
        if (inside.account, inside.venue) != (account, venue):
            raise KeysSealed(f"the sealed keys of account {account} belong to another account")
        return Keys(inside.key, inside.secret, inside.passphrase)

    def is_newest(self, sealed: Sealed) -> bool:
        """Whether the first master key sealed it."""
        return sealed.by == self._name


def name_of(master_key: str) -> str:
    """The name of a master key: the beginning of its digest, which shows nothing of the key."""
    return sha256(master_key.encode()).hexdigest()[:12]


def is_master_key(text: str) -> bool:
    """Whether a text can be a master key: 32 bytes, in URL-safe base64."""
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def new_master_key() -> str:
    """A random one."""
    return Fernet.generate_key().decode()
