"""What tells of the service itself: health, metrics, this document. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.telemetry.metrics import CONTENT_TYPE
from backend.web.api import session
from backend.web.openapi.codes import ALWAYS, EVERYWHERE, STORED, UNLOCKED
from backend.web.openapi.parts import JSON, answer, answer_header, errors, operation, ref
from backend.web.openapi.requests import in_body
from backend.web.page.assets import MEDIA_TYPES
from backend.web.server.json_schema import TEXT, Json

OPEN: list[Json] = []
"""The security of what anybody may ask."""

HTML = "text/html; charset=UTF-8"
PATH: Json = {
    "name": "path",
    "in": "path",
    "required": True,
    "schema": TEXT,
    "description": "The view of the page: `s/binance/spot/BTCUSDT`",
}
PAGE = answer("The page, or one of its files", TEXT, HTML)
PAGE["content"] |= {media_type: {"schema": TEXT} for media_type in MEDIA_TYPES.values()}


def paths() -> dict[str, Json]:
    return {
        "/health": _health(
            "getHealth",
            "Does the service work right now?",
            {"200": answer("Yes", ref("Healthy")), "503": answer("No", ref("Unhealthy"))},
        ),
        "/health/live": _health(
            "isAlive",
            "Does the process answer? If not, restart it",
            {"200": answer("Yes", ref("Alive"))},
        ),
        "/health/ready": _health(
            "isReady",
            "Can the service do its work: does the database read and write, does the worker run?",
            {"200": answer("Yes", ref("Ready")), "503": answer("Not now", ref("NotReady"))},
        ),
        "/api/about": _get(
            "getAbout", "What the service is, and what you may do", ALWAYS | _found("That", ref("About"))
        ),
        "/api/session": _session(),
        "/api/processes": _get(
            "listProcesses",
            "The processes that share the database, and what each of them does",
            STORED | _found("By name", ref("Processes")),
        ),
        "/metrics": _get(
            "getMetrics",
            "Counters since the start and current values, for Prometheus",
            ALWAYS | _found("The figures", TEXT, CONTENT_TYPE),
        ),
        "/openapi.json": _open(
            "getDescription",
            "This interface as an OpenAPI 3.1 document, for programs",
            UNLOCKED | _found("OpenAPI 3.1", {"type": "object"}),
        ),
        "/docs": _open(
            "readDescription",
            "This interface as a web page; it needs no internet",
            UNLOCKED | _found("A page", TEXT, HTML),
        ),
        "/": _open("openHome", "The web page", UNLOCKED | _found("The page", TEXT, HTML)),
        "/ui": _open("openOverview", "The web page", UNLOCKED | _found("The page", TEXT, HTML)),
        "/ui/{path}": {
            "parameters": [PATH],
            **_open(
                "openPage",
                "The web page: the same at every address; its files are below `files/`",
                UNLOCKED | errors(HTTPStatus.NOT_FOUND) | {"200": PAGE},
            ),
        },
    }


def _session() -> Json:
    may_fail = UNLOCKED | errors(HTTPStatus.UNAUTHORIZED)
    cookie = {"Set-Cookie": answer_header("The session: `HttpOnly; SameSite=Strict`, `Secure` with TLS")}
    answered = {"200": answer("Who you are now", ref("Session"), headers=cookie)}
    begun = operation(
        "service",
        "beginSession",
        "Log in: send a key once and get a cookie that replaces it",
        may_fail | answered,
        security=OPEN,
        requestBody=in_body(session.PARAMETERS, ()),
    )
    ended = operation(
        "service", "endSession", "Log out: the browser deletes the cookie", may_fail | answered, security=OPEN
    )
    told = _open("getSession", "Who you are, and what you may do", may_fail | _found("That", ref("Session")))
    return told | {"post": begun, "delete": ended}


def _health(name: str, summary: str, answers: dict[str, Json]) -> Json:
    common = EVERYWHERE | errors(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
    return _open(name, summary, common | answers)


def _found(about: str, schema: Json, media: str = JSON) -> dict[str, Json]:
    return {"200": answer(about, schema, media)}


def _open(name: str, summary: str, answers: dict[str, Json]) -> Json:
    return {"get": operation("service", name, summary, answers, security=OPEN)}


def _get(name: str, summary: str, answers: dict[str, Json]) -> Json:
    return {"get": operation("service", name, summary, answers)}
