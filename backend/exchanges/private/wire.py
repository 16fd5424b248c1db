"""Reads private answers: numbers exactly, and a blank field as an absent one."""

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
"""Venues write ids as numbers or as text; `str` makes the same of both."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

When = Moment

_DECODER = msgspec.json.Decoder(float_hook=str)
"""Numbers with a fraction stay the text that they are until their field says what they are."""


SIDES: Mapping[str, Side] = MappingProxyType({"buy": "buy", "sell": "sell"})

ROLES: Mapping[str, Literal["maker", "taker"] | None] = MappingProxyType(
    {"maker": "maker", "taker": "taker", "": None}
)


class Told(msgspec.Struct, Generic[Data]):
    """The envelope in which venues send every answer."""

    data: Data


class Listed(msgspec.Struct, Generic[Data]):
    """The envelope of a list, which may be null when it is empty."""

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
    """The body as a `kind`; raises MalformedAnswer, which shows nothing of what the body says."""
    try:
        said = _without_blanks(_DECODER.decode(answer.body))
        return msgspec.convert(said, kind, strict=False, dec_hook=_exact)
    except UNREADABLE as error:
        raise MalformedAnswer(f"{venue} sent an answer that cannot be read: {error}") from None


def known(words: Mapping[str, Said], said: str, venue: str) -> Said:
    """What a venue's word means, however it is capitalised; a word that is not known is not guessed."""
    try:
        return words[said.lower()]
    except KeyError:
        raise MalformedAnswer(f"{venue} used a word that is not known in place of {sorted(words)}") from None


def page(
    rows: Iterable[Row], own: Callable[[Row], str], *, last: Id | None = None, asked: str, venue: str
) -> Page[Row]:
    """A page whose `last` id asks for the next one. If none is named, it is that of the last row by `own`.

    Only an empty page is the last: how many rows a page holds is not relied on. A cursor that stands still
    would be asked for without an end.
    """
    found = tuple(rows)
    if not found:
        return Page(())
    cursor = own(found[-1]) if last is None else str(last)
    if cursor == asked:
        raise MalformedAnswer(f"{venue} answers with the cursor that it was asked for: pages do not go on")
    return Page(found, cursor)


def _without_blanks(said: Any) -> Any:
    """Venues leave fields empty that have no value: "" and null are as if the field were not there."""
    if isinstance(said, dict):
        kept = ((name, _without_blanks(value)) for name, value in said.items() if value not in ("", None))
        return dict(kept)
    return [_without_blanks(value) for value in said] if isinstance(said, list) else said


def _exact(_kind: type, said: Any) -> Exact:
    try:
        return exact(said)
    except ValueError:
        raise ValueError("no number that can be money") from None
