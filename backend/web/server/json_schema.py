"""The schemas that parameters, answers and the OpenAPI document are made of: JSON Schema 2020-12. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

INTEGER: Json = {"type": "integer"}
COUNT: Json = {"type": "integer", "minimum": 0}
NUMBER: Json = {"type": "number"}
TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}


def const(value: object) -> Json:
    return {"const": value}


def choice(values: Iterable[str]) -> Json:
    return {"type": "string", "enum": list(values)}


def listed(items: Json) -> Json:
    return {"type": "array", "items": items}


def record(properties: Mapping[str, Json], optional: Sequence[str] = ()) -> Json:
    """An object with these properties and no others; all are required except the `optional` ones."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
