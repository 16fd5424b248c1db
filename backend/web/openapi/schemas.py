"""The schemas of the shapes in `web/api/`, and of a sync that failed. Pure."""

from __future__ import annotations

from msgspec.json import schema_components

from backend.web.api import common_shapes, quote_shapes, service_shapes, stored_shapes, sync_shapes
from backend.web.api.common_shapes import Answer, Shape
from backend.web.extended import extended_shapes
from backend.web.openapi.parts import ref
from backend.web.server.json_schema import INTEGER, Json, const, listed, record
from backend.web.trading import account_shapes, alarm_shapes, history_shapes, order_shapes

NEXT: Json = INTEGER | {"type": ["integer", "null"], "description": "Start of the next page"}


SHAPE_MODULES = (
    *(common_shapes, stored_shapes, sync_shapes, service_shapes, quote_shapes),
    *(account_shapes, history_shapes, order_shapes, alarm_shapes, extended_shapes),
)
BASES = (Shape, Answer, account_shapes.Read, quote_shapes.Quoted)
"""What shapes are made from."""


def _shapes() -> dict[str, Json]:
    """Every shape by its name. All its fields are always there, also those with a default in the code."""
    kinds = dict.fromkeys(
        one
        for module in SHAPE_MODULES
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Shape) and one not in BASES
    )
    _, shapes = schema_components(kinds, ref_template="#/components/schemas/{name}")
    for schema in shapes.values():
        del schema["title"]
        if "properties" not in schema:
            continue
        schema["required"] = list(schema["properties"])
        for one in schema["properties"].values():
            one.pop("default", None)
    return shapes


SHAPES = _shapes()
SYNC: Json = SHAPES["Sync"]["properties"]
FAILED = {"success": const(False), "error": ref("Failure")}

SCHEMAS: dict[str, Json] = {
    **SHAPES,
    "FailedSync": record(SYNC | FAILED, optional=[name for name in SYNC if name != "success"]),
    "FailedSyncs": record(FAILED | {"results": listed({"anyOf": [ref("Sync"), ref("FailedSync")]})}),
}
