"""BingX's codes, and what they mean for a private request.

Most come with HTTP 200. Some codes have several causes: then the words decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from backend.exchanges.base import LONGEST_SAID, Answer, date_header, refusal
from backend.exchanges.bingx.market import BLOCK_SECONDS, BUSY_SECONDS
from backend.exchanges.private.refusals import Meaning, Refusal, meaning_of_status

CODES_OF = {
    Meaning.KEYS: "100001 100004 100412 100413 100414 100419 100441 101210 101483 101484 109403",
    Meaning.MODE: "101479 104103 104108",
    Meaning.CLOCK: "100421",
    Meaning.ABSENT: "80016 109421",
    Meaning.RATE_LIMIT: "100410 109429",
    Meaning.UNKNOWN: (
        "100500 100503 101214 101219 101500 109500 109701 110500 "
        "101481 109201"  # the client order id was used before: so ask for that order
    ),
    Meaning.REFUSED: (
        "80001 80012 80013 80014 80017 80018 100202 100204 100400 100401 100404 100440 100490 101201 "
        "101202 101204 101205 101206 101209 101211 101212 101215 101222 101253 101290 101400 101402 101414 "
        "101415 101419 101429 101460 101461 101485 102201 104414 109400 109415 109417 109418 109420 "
        "109422 109425 110203 110206 110280 110287 110400 110402 110406 110407 110411 110412 110413 110414 "
        "110415 110418 110419 110420 110422 110424 110425 110426 110427 110428 112414"
    ),
}

CODES: Mapping[int, Meaning] = MappingProxyType(
    {int(code): meaning for meaning, codes in CODES_OF.items() for code in codes.split()}
)

WORDS: Mapping[int, tuple[tuple[str, Meaning], ...]] = MappingProxyType(
    {
        100404: (("order", Meaning.ABSENT),),
        100421: (("pair", Meaning.REFUSED), ("pending", Meaning.REFUSED)),
        109400: (
            ("timestamp", Meaning.CLOCK),
            ("hedge mode", Meaning.MODE),
            ("one-way mode", Meaning.MODE),
        ),
        101400: (("clientorder", Meaning.UNKNOWN), ("client order", Meaning.UNKNOWN)),
    }
)
"""What else a code means where its words contain these."""

OF_STATUS: Mapping[int, Meaning] = MappingProxyType(
    {401: Meaning.KEYS, 403: Meaning.RATE_LIMIT, 418: Meaning.RATE_LIMIT}
)
"""403 is the firewall: it refuses an address for about five minutes."""


class Said(msgspec.Struct):
    """As much of any answer as tells a success from a refusal."""

    code: int | None = None
    msg: str | None = None
    listen_key: str = msgspec.field(name="listenKey", default="")


_said = msgspec.json.Decoder(Said, strict=False)


def refused(answer: Answer) -> Refusal | None:
    """What an answer refuses; None for a success.

    A listen key comes without any code. A code that is not known may have been given after the request was
    done: its outcome is unknown. So is that of a success that cannot be read.
    """
    said = refusal(_said, answer.body, Said())
    if answer.status == 200 and (said.code == 0 or said.listen_key):
        return None
    words = (said.msg or "")[:LONGEST_SAID]
    meaning = _meaning(answer, said.code or 0, words.lower())
    return Refusal(
        meaning=meaning,
        code=str(said.code or answer.status),
        said=said.msg or "",
        retry_after=_wait(answer, words) if meaning is Meaning.RATE_LIMIT else None,
        by_venue=bool(said.code),
    )


def _meaning(answer: Answer, code: int, words: str) -> Meaning:
    for word, meaning in WORDS.get(code, ()):
        if word in words:
            return meaning
    if code in CODES:
        return CODES[code]
    if answer.status == 200:
        return Meaning.UNKNOWN
    return OF_STATUS.get(answer.status) or meaning_of_status(answer)


def _wait(answer: Answer, words: str) -> float:
    """Seconds to the moment (ms) that the words name, by the venue's clock; a usual time otherwise."""
    if answer.status in (403, 418):
        return BLOCK_SECONDS
    numbers = (word.strip(".,;:") for word in words.replace(":", " ").split())
    moments = [int(word) for word in numbers if len(word) == 13 and word.isascii() and word.isdigit()]
    now = date_header(answer)
    if not moments or now is None:
        return BUSY_SECONDS
    return max((moments[0] - now) / 1000, 1.0)
