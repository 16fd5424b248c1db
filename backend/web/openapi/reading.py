"""`GET /api/data/{symbol}`: candles in all formats. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.core.interval import INTERVALS
from backend.formats import FORMATS
from backend.formats.layout import FIELDS
from backend.web.api import data_request
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import HEADERS, answer_header, errors, header, operation
from backend.web.openapi.requests import PATH_SYMBOL, Names, in_query
from backend.web.openapi.schemas import NEXT
from backend.web.server.json_schema import (
    COUNT,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    Json,
    choice,
    const,
    listed,
    record,
)

WRITTEN_TIME: Json = {"type": ["integer", "string"]}
TYPES: dict[str, Json] = {
    **dict.fromkeys(("open_time", "close_time"), WRITTEN_TIME),
    "timestamp": TEXT,
    **dict.fromkeys(("trades", "minutes", "expected_minutes"), INTEGER),
    **dict.fromkeys(("partial", "filled"), FLAG),
}
"""The fields that are no plain numbers."""

CANDLE = record(
    {name: TYPES.get(name, NUMBER) | {"description": about} for name, about in FIELDS.items()},
    optional=list(FIELDS),
)
CANDLES = record(
    {
        "success": const(True),
        "symbol": TEXT,
        "interval": choice(list(INTERVALS)),
        "data": listed({"$ref": "#/components/schemas/Candle"}),
        "count": COUNT,
        "next": NEXT,
    },
    optional=("interval",),
)
COLUMNS = record(
    {name: listed({"anyOf": [TYPES.get(name, NUMBER), {"type": "null"}]}) for name in FIELDS},
    optional=list(FIELDS),
)
SCHEMAS = {"Candle": CANDLE, "Candles": CANDLES, "Columns": COLUMNS}


def parameters(names: Names) -> list[Json]:
    return [
        PATH_SYMBOL,
        *in_query(data_request.PARAMETERS, names),
        header("If-None-Match", "The `ETag` of an answer that you have"),
        header("Range", "`bytes=0-99`, `bytes=-8`: for Parquet and Feather of a closed range"),
        header(
            "If-Range",
            "`ETag` of your part of the file; if the file has changed, the service sends all of it",
        ),
        header("If-Modified-Since", "The `Last-Modified` of an answer that you have"),
    ]


def data(names: Names) -> Json:
    """The path's item."""
    whole = HEADERS | {
        "ETag": answer_header("For a closed range: send it as `If-None-Match`"),
        "Last-Modified": answer_header("For a closed range without holes"),
        "Accept-Ranges": answer_header("`bytes`, for Parquet and Feather of a closed range"),
        "Content-Disposition": answer_header("A file name, for formats that are files"),
    }
    answers = {
        "200": {"description": "The candles", "headers": whole, "content": _contents()},
        "206": {
            "description": "The part of the file that `Range` names",
            "headers": whole
            | {"Content-Range": answer_header("The bytes in this answer, and the file's length")},
            "content": {FORMATS[name].media_type: {} for name in ("parquet", "feather")},
        },
        "304": {"description": "Nothing has changed: use the answer that you have", "headers": whole},
    }
    return {
        "get": operation(
            "candles",
            "read",
            "Read stored candles at any interval, in any format",
            answers | STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
            parameters(names),
        )
    }


def _contents() -> Json:
    """What the body is, by media type. Files that are not text have no schema."""
    contents: Json = {format.media_type: {} for format in FORMATS.values()}
    shapes = [{"$ref": f"#/components/schemas/{name}"} for name in ("Candles", "Columns")]
    contents[FORMATS["json"].media_type] = {"schema": {"anyOf": shapes}}
    for name in ("csv", "ndjson"):
        contents[FORMATS[name].media_type] = {"schema": TEXT}
    return contents
