"""What asks the exchanges and tells of it: syncs, jobs, listings. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.api.jobs import DEFAULT_LIMIT, LARGEST_LIMIT
from backend.web.openapi.codes import CODES, STORED, responses
from backend.web.openapi.parts import (
    COUNT,
    FLAG,
    HEADERS,
    JSON,
    TEXT,
    Json,
    answer,
    answer_header,
    choice,
    errors,
    listed,
    operation,
    query,
    ref,
    success,
)
from backend.web.openapi.values import (
    PATH_ID,
    SYMBOL,
    Names,
    exchange_schema,
    limit,
    market_of,
    market_schema,
)
from backend.web.server.params import LONGEST_WAIT, MOST_SYMBOLS, PATIENT_SECONDS, STATUSES

MOMENT: Json = {
    "type": ["string", "integer", "null"],
    "description": "Unix milliseconds or ISO-8601; null is as if it were not there",
}
FAILURES = (
    *(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR),
    *(HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""How a job can end whose result is waited for."""


def sync(names: Names) -> Json:
    """`/api/sync`."""
    answers = {
        "200": answer("It is done", {"anyOf": [ref("Sync"), ref("Syncs")]}),
        "202": answer(
            "It goes on, or has yet to begin",
            {"anyOf": [success(job=ref("Job")), success(jobs=listed(ref("Job")))]},
            headers={"Location": answer_header("Where to ask for the job, if there is one alone")},
        ),
        **{str(status.value): _failed(status) for status in FAILURES},
    }
    return {
        "post": operation(
            "sync",
            "sync",
            "Fetch what is missing",
            STORED | errors(HTTPStatus.TOO_MANY_REQUESTS) | answers,
            requestBody={"required": True, "content": {"application/json": {"schema": _request(names)}}},
        )
    }


def verify(names: Names) -> Json:
    """`/api/verify`."""
    schema = _closed(
        {"symbol": SYMBOL, "exchange": exchange_schema(names), "market": market_schema(names)},
        ["symbol"],
    )
    found = ref("Audit")
    return {
        "post": operation(
            "sync",
            "verify",
            "Recount what is stored against the ledger, and set the ledger right",
            {"200": answer("What was found", found)}
            | STORED
            | errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
            requestBody={"required": True, "content": {"application/json": {"schema": schema}}},
        )
    }


def jobs() -> dict[str, Json]:
    """`/api/jobs` and what is below it."""
    one = {"200": answer("The job", success(job=ref("Job")))} | STORED | errors(HTTPStatus.NOT_FOUND)
    newest = success(count=COUNT, jobs=listed(ref("Job")))
    events = {
        "description": "`progress` while it is not over, then its last status; each with the job as its data",
        "headers": HEADERS,
        "content": {"text/event-stream": {}},
    }
    return {
        "/api/jobs": {
            "get": operation(
                "sync",
                "listJobs",
                "The newest jobs",
                {"200": answer("The newest first", newest)} | STORED,
                [
                    query("status", choice(STATUSES), "Only those that stand so"),
                    limit(LARGEST_LIMIT, f"So many at most, {DEFAULT_LIMIT} where it is not given"),
                ],
            )
        },
        "/api/jobs/{id}": {
            "parameters": [PATH_ID],
            "get": operation("sync", "getJob", "One job: how far it is, how fast, how it ended", one),
            "delete": operation("sync", "cancelJob", "Cancel a job; what came stays", one),
        },
        "/api/jobs/{id}/events": {
            "parameters": [PATH_ID],
            "get": operation(
                "sync", "watchJob", "The job as server-sent events, while it runs", one | {"200": events}
            ),
        },
    }


def symbols(names: Names) -> Json:
    """`/api/symbols`."""
    found = success(exchange=TEXT, market=TEXT, count=COUNT, symbols=listed(ref("Listing")))
    return {
        "get": operation(
            "sync",
            "listSymbols",
            "What a market lists, and which of it is stored",
            {"200": answer("By name", found)} | STORED | errors(HTTPStatus.BAD_GATEWAY),
            market_of(names),
        )
    }


def _request(names: Names) -> Json:
    properties: Json = {
        "symbol": SYMBOL,
        "symbols": {"type": "array", "items": SYMBOL, "minItems": 1, "maxItems": MOST_SYMBOLS},
        "exchange": exchange_schema(names),
        "market": market_schema(names),
        "start_time": MOMENT,
        "end_time": MOMENT,
        "refresh": FLAG | {"description": "Read stored minutes again: needs both times", "default": False},
        "wait": {
            "anyOf": [FLAG, {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}],
            "description": "Whether to answer when it is done, at once, or after so many seconds; "
            f"when it is done means after {PATIENT_SECONDS:g} seconds at the latest",
            "default": True,
        },
    }
    either = [{"required": ["symbol"]}, {"required": ["symbols"]}]
    return _closed(properties, []) | {"oneOf": either}


def _closed(properties: Json, required: list[str]) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _failed(status: HTTPStatus) -> Json:
    """An answer that tells what came nevertheless, with the codes of the status."""
    known = responses()[status.name.title().replace("_", "")]
    code = {"properties": {"error": {"properties": {"code": choice(list(CODES[status]))}}}}
    schema = {"anyOf": [ref("FailedSync"), ref("FailedSyncs")]} | code
    return known | {"content": {JSON: {"schema": schema}}}
