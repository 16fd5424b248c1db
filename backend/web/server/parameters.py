"""Parameters of requests: each is declared once, with its name, sentence, schema and reader. Pure.

A route names its parameters in a tuple. Its handler reads values through them. The OpenAPI document, `/docs`
and docs/reference come from them too. Readers refuse everything that they do not understand.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, cast, overload

import msgspec

from backend.clock import parse_time
from backend.core.plan import whole_minutes
from backend.errors import InvalidRequest
from backend.web.server.json_schema import FLAG, TEXT, Json, choice

Value = TypeVar("Value")
Other = TypeVar("Other")

LARGEST_NUMBER = 999_999_999
REFUSALS = {
    "missing": "`{}` is missing.",
    "invalid": "`{}` has a wrong value: the message says which values are valid.",
    "unknown": "`{}` has an unknown value: the message lists the known ones.",
}
"""The meaning of codes such as `missing_symbol`, by their first word."""


class Default(Enum):
    NONE = "the parameter is required"


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Generic[Value]):
    """`read` takes the name and a given value, and raises InvalidRequest. `schema` says what a query takes,
    `body` what a JSON body takes where that is more. `refusals` are beginnings of its own error codes."""

    name: str
    about: str
    schema: Json
    read: Callable[[str, object], Value]
    default: Value | Literal[Default.NONE] = Default.NONE
    body: Json | None = None
    refusals: Sequence[str] = ("invalid",)

    def codes(self) -> dict[str, str]:
        """The error codes of its own, each with a sentence."""
        return {f"{kind}_{self.name}": REFUSALS[kind].format(self.name) for kind in self.refusals}


class Values:
    """The values of a request, read through their parameters."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given

    def __getitem__(self, parameter: Parameter[Value]) -> Value:
        if parameter.name in self._given:
            return parameter.read(parameter.name, self._given[parameter.name])
        if parameter.default is Default.NONE:
            raise missing(parameter.name)
        return parameter.default

    def __contains__(self, parameter: Parameter[Any]) -> bool:
        """Whether the parameter is given."""
        return parameter.name in self._given


def invalid(name: str, accepted: str) -> InvalidRequest:
    """The refusal of a value: "limit must be ..."."""
    return InvalidRequest(f"{name} must be {accepted}", code=f"invalid_{name}")


def missing(name: str) -> InvalidRequest:
    return InvalidRequest(f"{name} is missing", code=f"missing_{name}")


def text(
    name: str,
    about: str,
    *,
    default: str | Literal[Default.NONE] = Default.NONE,
    examples: Sequence[str] = (),
) -> Parameter[str]:
    """A text that is not empty."""
    schema = TEXT | {"minLength": 1} | ({"examples": list(examples)} if examples else {})
    shown = schema | ({"default": default} if isinstance(default, str) and default else {})
    return Parameter(name, about, shown, read_text, default, refusals=("missing", "invalid"))


def one_of(
    name: str, choices: Mapping[str, Value], about: str, *, default: Other, shown: str | None = None
) -> Parameter[Value | Other]:
    """One of some words; `shown` is the word that stands for the default."""

    def read(name: str, value: object) -> Value:
        if str(value) not in choices:
            raise InvalidRequest(
                f"unknown {name} {reprlib.repr(str(value))}: give one of {', '.join(choices)}",
                code=f"unknown_{name}",
            )
        return choices[str(value)]

    schema = choice(choices) | ({"default": shown} if shown else {})
    return Parameter(name, about, schema, read, default, refusals=("unknown",))


def required(parameter: Parameter[Value | None]) -> Parameter[Value]:
    """The same parameter, which must be given."""
    refusals = ("missing", *parameter.refusals)
    return cast(Parameter[Value], replace(parameter, default=Default.NONE, refusals=refusals))


@overload
def whole(name: str, about: str, *, highest: int = ...) -> Parameter[int | None]: ...
@overload
def whole(name: str, about: str, *, highest: int = ..., default: int) -> Parameter[int]: ...
def whole(
    name: str, about: str, *, highest: int = LARGEST_NUMBER, default: int | None = None
) -> Parameter[int] | Parameter[int | None]:
    """A whole number from 1 on."""

    def read(name: str, value: object) -> int:
        if not re.fullmatch(r"\d{1,9}", str(value), re.ASCII) or not 0 < int(str(value)) <= highest:
            raise invalid(name, f"a whole number from 1 to {highest}")
        return int(str(value))

    schema = {"type": "integer", "minimum": 1, "maximum": highest}
    return Parameter(name, about, schema | ({"default": default} if default else {}), read, default)


def switch(name: str, about: str, schema: Json = FLAG) -> Parameter[bool]:
    """`true` or `false` in a query; false where it is not given."""
    return Parameter(name, about, schema, _switch, False)


def flag(name: str, about: str) -> Parameter[bool]:
    """A JSON true or false; false where it is not given."""
    return Parameter(name, about, FLAG | {"default": False}, _flag, False)


def moment(name: str, about: str) -> Parameter[int | None]:
    """A time, in ms."""
    return Parameter(name, f"{about}. {TIME}", TEXT, read_moment, None, MAYBE_TIME, refusals=())


def minute(name: str, about: str) -> Parameter[int | None]:
    """The first whole minute from a time on, in ms."""
    return Parameter(name, f"{about}. {TIME}", TEXT, _minute, None, MAYBE_TIME, refusals=())


TIME = "Unix milliseconds or ISO-8601 (no offset means UTC)"
MAYBE_TIME: Json = {"type": ["string", "integer", "null"]}


def json_object(body: bytes) -> dict[str, object]:
    """The body as a JSON object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}", code="invalid_json") from error
    if not isinstance(value, dict):
        raise InvalidRequest(
            'the body must be a JSON object, such as {"symbol":"BTCUSDT"}', code="invalid_json"
        )
    return value


def only_known(names: Collection[str], known: Sequence[Parameter[Any]]) -> None:
    """Refuse unknown parameters: most of them are spelling errors."""
    unknown = sorted(set(names) - {parameter.name for parameter in known})
    if unknown:
        shown = ", ".join(reprlib.repr(name) for name in unknown[:5])
        listed = ", ".join(parameter.name for parameter in known)
        raise InvalidRequest(f"unknown parameter {shown}: use {listed}", code="unknown_parameter")


def read_moment(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidRequest(f"{name} must be Unix milliseconds or ISO-8601", code="invalid_time")
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise InvalidRequest(f"{name}: {error}", code="invalid_time") from error


def _minute(name: str, value: object) -> int | None:
    moment = read_moment(name, value)
    return None if moment is None else whole_minutes(moment, moment).start


def read_text(name: str, value: object) -> str:
    if value is None or value == "":
        raise missing(name)
    if not isinstance(value, str):
        raise invalid(name, "a text")
    return value


def _switch(name: str, value: object) -> bool:
    if value not in ("true", "false"):
        raise invalid(name, "true or false")
    return value == "true"


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(name, "true or false")
    return value
