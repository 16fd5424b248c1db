"""What tells of the store: series, statistics, coverage, revisions. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.core.coverage_map import REASONS
from backend.core.interval import INTERVALS
from backend.web.api import coverage, removal, revisions
from backend.web.api import series as listing
from backend.web.api.views import MOST_WINDOWS
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import answer, errors, operation, ref, success
from backend.web.openapi.requests import PATH_SYMBOL, Names, Parameters, in_query
from backend.web.openapi.schemas import MISSING, NEXT, SERIES, STATISTICS
from backend.web.server.common_parameters import MARKET_NAME
from backend.web.server.json_schema import (
    COUNT,
    FLAG,
    INTEGER,
    MAYBE_MOMENT,
    NUMBER,
    TEXT,
    Json,
    choice,
    const,
    listed,
    record,
)

COVERAGE = {
    "success": const(True),
    **SERIES,
    "since": MAYBE_MOMENT,
    "until": MAYBE_MOMENT,
    "first_candle": MAYBE_MOMENT,
    "complete": FLAG,
    "held_records": COUNT,
    "held_percent": NUMBER,
    "held": listed(ref("Window")),
    **MISSING,
    "missing_percent": NUMBER,
    "void_records": COUNT,
    "void": listed(ref("Void")),
    "truncated": FLAG | {"description": f"Whether a list ends after {MOST_WINDOWS} windows before its end"},
}
COUNTS = listed(COUNT)
MAP: dict[str, Json] = {
    "success": const(True),
    **SERIES,
    "interval": choice(list(INTERVALS)),
    "count": COUNT,
    "open_time": listed(INTEGER),
    "held": COUNTS,
    "missing": COUNTS,
    **dict.fromkeys(REASONS, COUNTS),
    "next": NEXT,
}
WEEKS = {
    "series": TEXT,
    "start": {"type": ["integer", "null"], "description": "Where the first week opens"},
    "states": TEXT
    | {
        "pattern": "^[fvpm-]*$",
        "description": "A letter a week: `f` all held, `v` the rest is void, `p` a part is missing, `m` all "
        "is missing, `-` older than the listing",
    },
}
AUDIT = {
    "success": const(True),
    **SERIES,
    "stored_records": COUNT,
    "drift": FLAG,
    "lost_records": COUNT,
    "lost": listed(ref("Window")),
    "unclaimed_records": COUNT,
    "unclaimed": listed(ref("Window")),
}
REMOVED = {
    "success": const(True),
    "dry_run": FLAG,
    **SERIES,
    "start_time": MAYBE_MOMENT,
    "end_time": MAYBE_MOMENT,
    **dict.fromkeys(("candles", "revisions", "follows", "jobs", "bytes_on_disk"), COUNT),
}
SCHEMAS = {"Coverage": record(COVERAGE), "Audit": record(AUDIT), "Weeks": record(WEEKS)}


def stored(names: Names) -> dict[str, Json]:
    """The paths."""
    following: Json = {"type": ["string", "null"], "description": "The `start` of the following page"}
    series = success(count=COUNT, series=listed(ref("Stored")), next=following)
    return {
        "/api/series": {
            "get": operation(
                "candles",
                "listSeries",
                "Everything that is stored, over all markets",
                {"200": answer("By name", series)} | STORED,
                in_query(listing.PARAMETERS),
            )
        },
        "/api/series/{symbol}": {"delete": _removal(names)},
        "/api/stats/{symbol}": _of_series(
            names,
            "getStatistics",
            "What is stored of a series",
            success(statistics=record(STATISTICS | {"revisions": COUNT})),
        ),
        "/api/coverage/{symbol}": _of_series(
            names,
            "getCoverage",
            "What is held, void and missing, and where: the windows between two times",
            ref("Coverage"),
            coverage.COVERAGE,
        ),
        "/api/map/{symbol}": _of_series(
            names,
            "getMap",
            f"How many minutes are held, missing and void, bucket by bucket; {coverage.MOST_BUCKETS} buckets "
            "at most",
            record(MAP),
            coverage.MAP,
        ),
        "/api/weeks": {
            "get": operation(
                "candles",
                "getWeeks",
                "A letter for each week of several series",
                {"200": answer("In the order asked for", success(count=COUNT, weeks=listed(ref("Weeks"))))}
                | STORED,
                in_query(coverage.WEEKS),
            )
        },
        "/api/revisions/{symbol}": _of_series(
            names,
            "listRevisions",
            "Candles that the exchange later told differently",
            success(symbol=TEXT, count=COUNT, revisions=listed(ref("Revision")), next=NEXT),
            revisions.PARAMETERS,
        ),
    }


def _removal(names: Names) -> Json:
    return operation(
        "sync",
        "deleteSeries",
        "Take a stored series away, or the minutes of a window, so that they can be synced anew",
        {"200": answer("What went, or would go", record(REMOVED))}
        | STORED
        | errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
        [PATH_SYMBOL, *in_query(removal.PARAMETERS, names)],
    )


def _of_series(
    names: Names, name: str, summary: str, schema: Json, parameters: Parameters = MARKET_NAME
) -> Json:
    answers = {"200": answer("What is known", schema)} | STORED | errors(HTTPStatus.NOT_FOUND)
    asked = [PATH_SYMBOL, *in_query(parameters, names)]
    return {"get": operation("candles", name, summary, answers, asked)}
