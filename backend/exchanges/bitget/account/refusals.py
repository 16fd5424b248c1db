"""Bitget's codes, and what they mean for a private request. Most come with HTTP 400."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from backend.exchanges.base import Answer, refusal
from backend.exchanges.bitget.market import RATE_LIMIT_SECONDS, SUCCESS
from backend.exchanges.private.refusals import Meaning, Refusal, meaning_of_status

CODES_OF = {
    Meaning.KEYS: (
        "40001 40002 40003 40006 40009 40011 40012 40036 40037 40041 49000 "  # key, sign or passphrase
        "40013 40014 40016 40018 40022 40023 40024 40025 40026 40031 40035 40038 40100 40101 40103 40104 "
        "40111 40199 40710 40752 40753 40760 40916 45107 45108 25620"  # may not, or not from this address
    ),
    Meaning.MODE: (
        "40084 25245 "  # the account is classic
        "40085 40731 "  # the account is unified
        "40099 "  # live keys at the demo account, or the reverse
        "40774 40920 43075 45018 45020 45021 45109 45117 25236"  # position and margin mode
    ),
    Meaning.ABSENT: "25204 40109 40768 40819 43001 43033 80011",
    Meaning.CLOCK: "40004 40005 40008 40078 40079 40911",
    Meaning.RATE_LIMIT: "429 22035 25004 40918 43036 45129 70228",
    Meaning.UNKNOWN: (
        "40010 40015 40200 40400 40725 40846 40847 40908 40910 43059 45001 25000 25001 25003 "
        "40708 40786 43118 45034 50060 25212"  # the client order id was used before: so ask for that order
    ),
}

CODES: Mapping[str, Meaning] = MappingProxyType(
    {code: meaning for meaning, codes in CODES_OF.items() for code in codes.split()}
)


class Said(msgspec.Struct):
    """As much of any answer as tells a success from a refusal; some samples say `message`."""

    code: str = ""
    msg: str | None = None
    message: str | None = None


_said = msgspec.json.Decoder(Said)


def refused(answer: Answer) -> Refusal | None:
    """What an answer refuses; None for a success. A success that cannot be read may be one: it is unknown."""
    said = refusal(_said, answer.body, Said())
    if answer.status == 200 and said.code == SUCCESS:
        return None
    meaning = CODES.get(said.code) or (Meaning.UNKNOWN if answer.status == 200 else meaning_of_status(answer))
    return Refusal(
        meaning=meaning,
        code=said.code or str(answer.status),
        said=said.msg or said.message or "",
        retry_after=RATE_LIMIT_SECONDS if meaning is Meaning.RATE_LIMIT else None,
        by_venue=bool(said.code),
    )
