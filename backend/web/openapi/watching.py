"""What tells of the service itself: health, metrics, this document. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.metrics import CONTENT_TYPE
from backend.web.openapi.codes import ALWAYS, EVERYWHERE
from backend.web.openapi.parts import TEXT, Json, answer, choice, const, errors, operation, record

OPEN: list[Json] = []
"""The security of what anybody may ask."""

CONNECTED = choice(("connected", "disconnected"))
WORKER = choice(("running", "stopped", "none"))

HEALTHY = {"status": const("healthy"), "service": TEXT, "database": const("connected")}
UNHEALTHY = {"status": const("unhealthy"), "service": TEXT, "database": const("disconnected")}
READY = {"status": const("ready"), "database": const("connected"), "worker": WORKER}
NOT_READY = {"status": const("not_ready"), "database": CONNECTED, "worker": WORKER}


def paths() -> dict[str, Json]:
    return {
        "/health": _health(
            "getHealth",
            "Is the service of use right now?",
            {"200": answer("Yes", record(HEALTHY)), "503": answer("No", record(UNHEALTHY))},
        ),
        "/health/live": _health(
            "isAlive", "Does the process answer?", {"200": answer("Yes", record({"status": const("alive")}))}
        ),
        "/health/ready": _health(
            "isReady",
            "Can it do its work?",
            {"200": answer("Yes", record(READY)), "503": answer("Not now", record(NOT_READY))},
        ),
        "/metrics": _get(
            "getMetrics", "Figures for Prometheus", answer("The figures", TEXT, CONTENT_TYPE), ALWAYS
        ),
        "/openapi.json": _get(
            "getDescription",
            "This document",
            answer("OpenAPI 3.1", {"type": "object"}),
            ALWAYS,
        ),
        "/docs": _get(
            "readDescription",
            "This document for people",
            answer("A page", TEXT, "text/html; charset=UTF-8"),
            ALWAYS,
        ),
    }


def _health(name: str, summary: str, answers: dict[str, Json]) -> Json:
    common = EVERYWHERE | errors(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
    return {"get": operation("service", name, summary, common | answers, security=OPEN)}


def _get(name: str, summary: str, found: Json, common: dict[str, Json]) -> Json:
    return {"get": operation("service", name, summary, common | {"200": found})}
