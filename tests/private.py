"""Dummy keys, and whether a text shows any part of them."""

from __future__ import annotations

from backend.trading.account_keys import Keys

KEYS = Keys("dummy-key-of-the-tests", "dummy-secret-of-the-tests", "dummy-passphrase-of-the-tests")
SECRETS = (KEYS.key, KEYS.secret, KEYS.passphrase)


def shown(text: str) -> bool:
    """Whether a text shows one of the keys."""
    return any(secret in text for secret in SECRETS)
