"""What asks the exchanges and tells of it: syncs, jobs, listings. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.api import importing as imports
from backend.web.api import jobs as listing
from backend.web.api import sync as syncs
from backend.web.api import verify as verifying
from backend.web.openapi.codes import CODES, STORED, responses
from backend.web.openapi.parts import (
    HEADERS,
    JSON,
    answer,
    answer_header,
    errors,
    operation,
    ref,
)
from backend.web.openapi.requests import PATH_ID, Names, in_body, in_query
from backend.web.server.common_parameters import MARKET_NAME
from backend.web.server.json_schema import Json, choice

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
            "It is running or waiting",
            {"anyOf": [ref("JobAnswer"), ref("JobsBegun")]},
            headers={"Location": answer_header("Address of the job, if the request began only one")},
        ),
        **{str(status.value): _failed(status) for status in FAILURES},
    }
    return {
        "post": operation(
            "sync",
            "sync",
            "Fetch the missing minutes",
            STORED | errors(HTTPStatus.TOO_MANY_REQUESTS) | answers,
            requestBody=in_body(syncs.PARAMETERS, names),
        )
    }


def importing(names: Names) -> Json:
    """`/api/import`."""
    return {
        "post": operation(
            "sync",
            "importFile",
            "Import a file of candles: the service checks it all, then stores the minutes that are not held",
            {"200": answer("The file is imported", ref("Taken"))}
            | STORED
            | errors(HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS),
            in_query(imports.PARAMETERS, names),
            requestBody={"required": True, "content": {"application/octet-stream": {"schema": {}}}},
        )
    }


def verify(names: Names) -> Json:
    """`/api/verify`."""
    audit = ref("Audit")
    return {
        "post": operation(
            "sync",
            "verify",
            "Count the stored candles, compare them with the ledger, and correct the ledger",
            {"200": answer("Result of the audit", audit)}
            | STORED
            | errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
            requestBody=in_body(verifying.PARAMETERS, names),
        )
    }


def jobs() -> dict[str, Json]:
    """`/api/jobs` and what is below it."""
    one = {"200": answer("The job", ref("JobAnswer"))} | STORED | errors(HTTPStatus.NOT_FOUND)
    events = {
        "description": "`progress` until the job is over, then its last status; each has the job as its data",
        "headers": HEADERS,
        "content": {"text/event-stream": {}},
    }
    return {
        "/api/jobs": {
            "get": operation(
                "sync",
                "listJobs",
                "The newest jobs",
                {"200": answer("The newest first", ref("JobsAnswer"))} | STORED,
                in_query(listing.LISTING),
            )
        },
        "/api/jobs/{id}": {
            "parameters": [PATH_ID],
            "get": operation("sync", "getJob", "One job: its progress, speed and result", one),
            "delete": operation("sync", "cancelJob", "Cancel a job; its fetched candles stay", one),
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
    return {
        "get": operation(
            "sync",
            "listSymbols",
            "Symbols of a market, and which of them are stored",
            {"200": answer("By name", ref("ListingAnswer"))} | STORED | errors(HTTPStatus.BAD_GATEWAY),
            in_query(MARKET_NAME, names),
        )
    }


def _failed(status: HTTPStatus) -> Json:
    """An answer that tells what came nevertheless, with the codes of the status."""
    known = responses()[status.name.title().replace("_", "")]
    code = {"properties": {"error": {"properties": {"code": choice(list(CODES[status]))}}}}
    schema = {"anyOf": [ref("FailedSync"), ref("FailedSyncs")]} | code
    return known | {"content": {JSON: {"schema": schema}}}
