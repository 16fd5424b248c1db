"""Extended's codes, and what they mean for a private request.

Which status comes with which code is not documented: the body is read first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from backend.exchanges.base import Answer, refusal
from backend.exchanges.extended.market import RATE_LIMIT_SECONDS
from backend.exchanges.private.refusals import Meaning, Refusal, meaning_of_status

CODES_OF = {
    Meaning.KEYS: "401 403 1100 1101 1102 1500",
    Meaning.ABSENT: "404 NOT_FOUND",
    Meaning.RATE_LIMIT: "429 1010",
    Meaning.UNKNOWN: (
        "500 1006 1134"  # the client order id was used before: so ask for that order
    ),
    Meaning.REFUSED: (
        "400 422 1000 1001 1002 1003 1004 1005 1008 1009 1011 1012 1013 1014 1049 1050 10501 1052 1053 1120 "
        "1121 1122 1123 1124 1125 1126 1127 1128 1129 1130 1131 1132 1133 1135 1136 1137 1138 1139 1140 1141 "
        "1142 1143 1144 1145 1146 1147 1148 1600 1601 1602 1604 1605 1607 1608 1650 1700 1701 1703 1704"
    ),
}

CODES: Mapping[str, Meaning] = MappingProxyType(
    {code: meaning for meaning, codes in CODES_OF.items() for code in codes.split()}
)

OF_STATUS: Mapping[int, Meaning] = MappingProxyType({401: Meaning.KEYS, 404: Meaning.ABSENT})


class Fault(msgspec.Struct):
    code: int | str = ""
    message: str = ""


class Said(msgspec.Struct):
    """As much of any answer as tells a success from a refusal."""

    status: str = ""
    error: Fault | None = None


_said = msgspec.json.Decoder(Said)


def refused(answer: Answer) -> Refusal | None:
    """What an answer refuses; None for a success. A success may have no body; whoever needs one misses it."""
    said = refusal(_said, answer.body, Said())
    if 200 <= answer.status < 300 and said.status.upper() != "ERROR":
        return None
    fault = said.error or Fault()
    code = str(fault.code)
    meaning = CODES.get(code) or OF_STATUS.get(answer.status) or meaning_of_status(answer)
    if said.status.upper() == "ERROR" and code not in CODES:
        # A code that is not known may have been given after the request was done.
        meaning = Meaning.UNKNOWN
    return Refusal(
        meaning=meaning,
        code=code or str(answer.status),
        said=fault.message,
        retry_after=RATE_LIMIT_SECONDS if meaning is Meaning.RATE_LIMIT else None,
        by_venue=code in CODES,
    )
