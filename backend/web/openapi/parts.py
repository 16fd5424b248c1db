"""The building blocks of the document: schemas, parameters, answers, operations. Pure.

After https://spec.openapis.org/oas/v3.1.1.html; schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from backend.web.server.json_schema import TEXT, Json

JSON = "application/json; charset=UTF-8"
JSON_BODY = "application/json"

HEADERS: Json = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
"""What every answer has."""


def ref(name: str) -> Json:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, schema: Json, about: str) -> Json:
    """A parameter of the query, which may be left out."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": about}


def header(name: str, about: str) -> Json:
    """A header of the request, which may be left out."""
    return {"name": name, "in": "header", "required": False, "schema": TEXT, "description": about}


def answer(
    about: str, schema: Json, media_type: str = JSON, headers: Mapping[str, Json] | None = None
) -> Json:
    """An answer with a body of one media type."""
    return {
        "description": about,
        "headers": HEADERS | dict(headers or {}),
        "content": {media_type: {"schema": schema}},
    }


def answer_header(about: str) -> Json:
    """A header that an answer may have."""
    return {"description": about, "schema": TEXT}


def error(status: HTTPStatus) -> Json:
    """An answer of the components: an error with this status."""
    return {"$ref": f"#/components/responses/{named(status)}"}


def named(status: HTTPStatus) -> str:
    """What the components call an error with this status."""
    return status.name.title().replace("_", "")


def errors(*statuses: HTTPStatus) -> dict[str, Json]:
    """Answers with errors, by status."""
    return {str(status.value): error(status) for status in statuses}


def operation(
    tag: str,
    name: str,
    summary: str,
    answers: Mapping[str, Json],
    parameters: Sequence[Json] = (),
    **more: object,
) -> Json:
    """One method of one path; `name` is its `operationId`."""
    described: Json = {"tags": [tag], "operationId": name, "summary": summary, **more}
    if parameters:
        described["parameters"] = list(parameters)
    return described | {"responses": dict(sorted(answers.items()))}
