"""Whose an Extended key is, and whether the Stark key belongs to it."""

from __future__ import annotations

import msgspec

from backend.errors import KeysRefused
from backend.exchanges.base import Request
from backend.exchanges.extended.market import COST, VENUE
from backend.exchanges.extended.signing import owner_of
from backend.exchanges.private.venue import Call
from backend.exchanges.private.wire import Id, Name, Told, question
from backend.trading.account_keys import Keys
from backend.trading.rows import KeyFacts, Right

INFO = Request("/user/account/info", cost=COST)

RIGHTS = frozenset((Right.READ, Right.TRADE, Right.TRANSFER))
"""What a Stark key may do. Money that it withdraws goes to the owner's own wallet and nowhere else: so that
counts as a transfer."""


class Info(msgspec.Struct, rename="camel"):
    account_id: Id
    l2_key: Name
    l2_vault: Id


def uid() -> Call[str]:
    """The account that a key belongs to."""
    return question(INFO, Told[Info], lambda said: str(said.data.account_id), VENUE)


def key(keys: Keys) -> Call[KeyFacts]:
    """What these keys may do. Raises KeysRefused where they do not belong together."""

    def made(said: Told[Info]) -> KeyFacts:
        owner = owner_of(keys)
        if (_number(said.data.l2_key), str(said.data.l2_vault)) != (owner.public, str(owner.vault)):
            raise KeysRefused(
                f"{VENUE}: the Stark key or the vault is not that of the API key's account; keys of the "
                "testnet belong to an account of mode demo"
            )
        return KeyFacts(rights=RIGHTS, bindable=False)

    return question(INFO, Told[Info], made, VENUE)


def _number(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0
