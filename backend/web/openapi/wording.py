"""Schemas in a few words: "list of Window", "get | post", "integer, 1 to 1000, default 100". Pure."""

from __future__ import annotations

from backend.web.server.json_schema import Json


def kind(schema: Json) -> str:
    """What a value is, and what it is where it is not given."""
    default = schema.get("default")
    told = str(default).lower() if isinstance(default, bool) else default
    return _kind(schema) + ("" if default is None else f", default {told}")


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if "const" in schema:
        return str(schema["const"]).lower() if isinstance(schema["const"], bool) else str(schema["const"])
    if schema.get("format") == "date-time":
        return "time" if schema["type"] == "string" else "time or null"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    if schema.get("type") == "object" and schema.get("properties"):
        inside = (f"{name}: {_kind(one)}" for name, one in schema["properties"].items())
        return f"{{{', '.join(inside)}}}"
    kinds = schema.get("type", "anything")
    name = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return name + (f", {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else "")
