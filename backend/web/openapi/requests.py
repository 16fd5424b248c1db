"""How the document describes the parameters that routes declare. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.web.openapi.parts import JSON_BODY
from backend.web.server.common_parameters import EXCHANGE, MARKET, SYMBOL, SYMBOLS
from backend.web.server.json_schema import TEXT, Json, choice
from backend.web.server.parameters import Default, Parameter

Names = Sequence[tuple[str, str]]
"""Every exchange with each of its markets."""

Parameters = Sequence[Parameter[Any]]

PATH_SYMBOL: Json = {
    "name": SYMBOL.name,
    "in": "path",
    "required": True,
    "schema": SYMBOL.schema,
    "description": SYMBOL.about,
}
PATH_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": TEXT | {"minLength": 1},
    "description": "The job's id",
}


def in_query(parameters: Parameters, names: Names = ()) -> list[Json]:
    return [
        {
            "name": one.name,
            "in": "query",
            "required": one.default is Default.NONE,
            "schema": _schema(one, one.schema, names),
            "description": one.about,
        }
        for one in parameters
    ]


def in_body(parameters: Parameters, names: Names) -> Json:
    """A body that is a JSON object of parameters, of `symbol` and `symbols` only one."""
    either = {SYMBOL, SYMBOLS} <= set(parameters)
    needed = [one.name for one in parameters if one.default is Default.NONE and not either]
    schema: Json = {
        "type": "object",
        "properties": {
            one.name: _schema(one, one.body or one.schema, names) | {"description": one.about}
            for one in parameters
        },
        "required": needed,
        "additionalProperties": False,
    }
    if either:
        schema["oneOf"] = [{"required": [one.name]} for one in (SYMBOL, SYMBOLS)]
    return {"required": True, "content": {JSON_BODY: {"schema": schema}}}


def _schema(parameter: Parameter[Any], schema: Json, names: Names) -> Json:
    """The schema; which exchanges and markets there are is known to the service alone."""
    known = {EXCHANGE: [exchange for exchange, _ in names], MARKET: [market for _, market in names]}
    if parameter not in known:
        return schema
    return choice(dict.fromkeys(known[parameter])) | {"default": parameter.default}
