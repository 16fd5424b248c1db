"""docs/reference/api.md: every route with its parameters and answers, and every shape with its fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.exchanges import EXCHANGES
from backend.web.openapi.document import document
from backend.web.openapi.page import METHODS
from backend.web.openapi.wording import kind
from backend.web.server.json_schema import Json
from reference.markdown import page, table

ABOUT = """\
Send each parameter once. The service refuses unknown parameters. Every GET also works as a HEAD: the same
status and headers, without a body. A running service has this at `/docs`, and at `/openapi.json` for
programs.
[Errors](errors.md) have one shape, and each has a code."""

BOTS = """\
The venues' own interfaces and TradingView's data feed, for [bots](../guide/bots.md) and
[charts](../guide/charts.md). Errors of these routes have the venue's own shape."""

OURS = ("sync", "candles", "accounts", "service")

Operation = tuple[str, str, Json, Json]
"""Method, path, the path's item, and the operation."""


def api_page() -> str:
    names = [(exchange.name, market) for exchange in EXCHANGES.values() for market in exchange.markets]
    described = document(names)
    found = list(_operations(described))
    ours = [one for one in found if one[3]["tags"][0] in OURS]
    return page(
        "Routes",
        ABOUT,
        _routes(ours),
        "## For bots and charts",
        BOTS,
        _routes([one for one in found if one not in ours]),
        "## Route by route",
        *(part for one in ours for part in _operation(*one)),
        "## Shapes",
        *(part for one in described["components"]["schemas"].items() for part in _shape(*one)),
    )


def _operations(described: Json) -> Iterator[Operation]:
    for path, item in described["paths"].items():
        yield from ((method.upper(), path, item, item[method]) for method in METHODS if method in item)


def _routes(found: list[Operation]) -> str:
    rows = [(f"`{method} {path}`", one["summary"], _names(item, one)) for method, path, item, one in found]
    return table(("route", "does", "takes"), rows)


def _names(item: Json, one: Json) -> str:
    found = (name for name, place, *_ in _parameters(item, one) if place not in ("path", "header"))
    return ", ".join(f"`{name}`" for name in found)


def _parameters(item: Json, one: Json) -> Iterator[tuple[str, str, str, str]]:
    """Name, place, meaning and what it takes; of a JSON body each field."""
    for found in (*item.get("parameters", ()), *one.get("parameters", ())):
        place = found["in"] + (", needed" if found["required"] and found["in"] != "path" else "")
        yield found["name"], place, found["description"], kind(found["schema"])
    for content in one.get("requestBody", {}).get("content", {}).values():
        needed = content["schema"].get("required", ())
        for name, schema in content["schema"].get("properties", {}).items():
            place = "body, needed" if name in needed else "body"
            yield name, place, schema.get("description", ""), kind(schema)


def _operation(method: str, path: str, item: Json, one: Json) -> Iterator[str]:
    yield f"### {method} {path}"
    yield one["summary"] if one["summary"].endswith("?") else f"{one['summary']}."
    if rows := [(f"`{name}`", *rest) for name, *rest in _parameters(item, one)]:
        yield table(("parameter", "in", "meaning", "takes"), rows)
    answers = one["responses"].items()
    told = [(status, given["description"], _body(given)) for status, given in answers if "$ref" not in given]
    yield table(("status", "answer", "shape"), told)
    errors = [f"[{status}](errors.md#{status})" for status, given in answers if "$ref" in given]
    yield f"Errors: {', '.join(errors)}."


def _body(given: Json) -> str:
    """The shape of an answer in JSON, the media types of others."""
    return ", ".join(
        _linked(content["schema"])
        if "json" in media and "schema" in content
        else f"`{media.partition(';')[0]}`"
        for media, content in given.get("content", {}).items()
    )


def _linked(schema: Json) -> str:
    """What a value is; shapes are links."""
    return re.sub(r"\b([A-Z]\w+)", lambda found: f"[{found[1]}](#{found[1].lower()})", kind(schema))


def _shape(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}"
    if "description" in schema:
        yield schema["description"]
    if "enum" in schema:
        yield f"One of {', '.join(f'`{word}`' for word in schema['enum'])}."
        return
    needed = schema.get("required", ())
    yield table(
        ("field", "meaning", "is"),
        [
            (
                f"`{field}`" + ("" if field in needed else ", not always"),
                one.get("description", ""),
                _linked(one),
            )
            for field, one in schema["properties"].items()
        ],
    )
