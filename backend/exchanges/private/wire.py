"""Parses private answers: numbers are exact, and an empty field counts as absent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from backend.errors import MalformedAnswer
from backend.exchanges.base import UNREADABLE, Answer, Moment, Request
from backend.exchanges.private.venue import Call
from backend.trading.money import Exact, exact
from backend.trading.rows import Page, Side

Data = TypeVar("Data")
Said = TypeVar("Said")
Row = TypeVar("Row")

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | Annotated[str, msgspec.Meta(max_length=100)]
"""Venues write ids as numbers or as text; `str` makes both equal."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

When = Moment

_DECODER = msgspec.json.Decoder(float_hook=str)
"""Numbers with a fraction stay text until their field's type is known."""


SIDES: Mapping[str, Side] = MappingProxyType({"buy": "buy", "sell": "sell"})

ROLES: Mapping[str, Literal["maker", "taker"] | None] = MappingProxyType(
    {"maker": "maker", "taker": "taker", "": None}
)


class Told(msgspec.Struct, Generic[Data]):
    """The envelope of every answer."""

    data: Data


class Listed(msgspec.Struct, Generic[Data]):
    """The envelope of a list. An empty list may be null."""

    data: list[Data] = []


def question(request: Request, kind: type[Data], make: Callable[[Data], Said], venue: str) -> Call[Said]:
    """A request, and how its answer is read as a `kind` and turned into what is told."""

    def parse(answer: Answer) -> Said:
        return make(read(kind, answer, venue))

    return Call(request, parse)


def given(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters that have a value."""
    return {name: value for name, value in params.items() if value}


def read(kind: type[Said], answer: Answer, venue: str) -> Said:
    """The body as a `kind`. Raises MalformedAnswer, which shows nothing of the body."""
    try:
        said = _without_blanks(_DECODER.decode(answer.body))
        return msgspec.convert(said, kind, strict=False, dec_hook=_exact)
    except UNREADABLE as error:
        raise MalformedAnswer(f"{venue} sent an answer that cannot be read: {error}") from None


def known(words: Mapping[str, Said], said: str, venue: str) -> Said:
    """The meaning of a venue's word, in any case of letters. An unknown word is an error, not a guess."""
    try:
        return words[said.lower()]
    except KeyError:
        raise MalformedAnswer(f"{venue} used a word that is not known in place of {sorted(words)}") from None


def page(
    rows: Iterable[Row], own: Callable[[Row], str], *, last: Id | None = None, asked: str, venue: str
) -> Page[Row]:
    """A page; its `last` id requests the next one. Without `last`, `own` reads the id of the last row.

    Only an empty page is the last: the number of rows in a page proves nothing. A cursor that does not move
    is an error, because the requests would never end.
    """
    kept = tuple(rows)
    if not kept:
        return Page(())
    cursor = own(kept[-1]) if last is None else str(last)
    if cursor == asked:
        raise MalformedAnswer(f"{venue} answers with the cursor that it was asked for: pages do not go on")
    return Page(kept, cursor)


def _without_blanks(said: Any) -> Any:
    """Venues send empty fields for no value: "" and null count as an absent field."""
    if isinstance(said, dict):
        kept = ((name, _without_blanks(value)) for name, value in said.items() if value not in ("", None))
        return dict(kept)
    return [_without_blanks(value) for value in said] if isinstance(said, list) else said


def _exact(_kind: type, said: Any) -> Exact:
    try:
        return exact(said)
    except ValueError:
        raise ValueError("no number that can be money") from None
