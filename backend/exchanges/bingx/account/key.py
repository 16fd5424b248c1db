"""What a BingX key may do, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from backend.errors import MalformedAnswer
from backend.exchanges.bingx.account.asking import asked
from backend.exchanges.bingx.market import VENUE
from backend.exchanges.private.venue import Call
from backend.exchanges.private.wire import Id, Told
from backend.trading.account_keys import Keys
from backend.trading.rows import KeyFacts, Right

UID, KEYS = "/openApi/account/v1/uid", "/openApi/account/v1/apiKey/query"

LIMITS: Mapping[str, tuple[int, int]] = {UID: (2, 2), KEYS: (2, 2)}
"""Questions a second of an account, and of an address. They are not documented: so few."""

RIGHTS: Mapping[int, Right] = MappingProxyType(
    {1: Right.TRADE, 2: Right.READ, 3: Right.TRADE, 4: Right.TRANSFER, 5: Right.WITHDRAW}
)
"""1 is spot, 3 perpetuals; 7 lets sub-accounts transfer. 5 is not in every document: it may withdraw."""


class Whose(msgspec.Struct):
    uid: Id


class KeyRow(msgspec.Struct, rename="camel"):
    api_key: str = ""
    permissions: list[int] = []
    ip_addresses: list[str] = []

    def __repr__(self) -> str:
        return "KeyRow(***)"


class KeyRows(msgspec.Struct, rename="camel"):
    api_infos: list[KeyRow] = []


def uid() -> Call[str]:
    """The account that a key belongs to."""
    return asked(UID, {}, Told[Whose], lambda said: str(said.data.uid))


def key(keys: Keys) -> Call[KeyFacts]:
    """What these keys may do: the venue tells of every key of the account."""

    def made(said: Told[KeyRows]) -> KeyFacts:
        own = [row for row in said.data.api_infos if row.api_key == keys.key]
        if len(own) != 1:
            raise MalformedAnswer(f"{VENUE} does not describe the key that signed the request")
        return KeyFacts(
            rights=frozenset(RIGHTS.get(number, Right.OTHER) for number in own[0].permissions),
            addresses=tuple(own[0].ip_addresses),
        )

    return asked(KEYS, {}, Told[KeyRows], made)
