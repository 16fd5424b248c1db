"""What tells of the store: series, statistics, coverage, revisions. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.core.coverage_map import REASONS
from backend.core.interval import INTERVALS
from backend.web.api.coverage import MOST_BUCKETS
from backend.web.api.revisions import LARGEST_PAGE as LARGEST_REVISIONS
from backend.web.api.revisions import PAGE as REVISIONS
from backend.web.api.series import LARGEST_PAGE, PAGE
from backend.web.api.views import MOST_WINDOWS
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import (
    COUNT,
    FLAG,
    INTEGER,
    MAYBE_MOMENT,
    NUMBER,
    TEXT,
    Json,
    answer,
    choice,
    const,
    errors,
    listed,
    operation,
    query,
    record,
    ref,
    success,
)
from backend.web.openapi.schemas import MISSING, NEXT, SERIES, STATISTICS
from backend.web.openapi.values import END, PATH_SYMBOL, START, Names, limit, market_of
from backend.web.streams.stream_request import MOST_SERIES

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
                [
                    query("start", TEXT | {"minLength": 1}, "The name to begin with: `binance.spot.BTCUSDT`"),
                    limit(LARGEST_PAGE, f"So many at most, {PAGE} where it is not given"),
                ],
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
            START,
            END,
        ),
        "/api/map/{symbol}": _of_series(
            names,
            "getMap",
            f"How many minutes are held, missing and void, bucket by bucket; {MOST_BUCKETS} buckets at most",
            record(MAP),
            query("interval", TEXT | {"default": "1m"}, f"How long a bucket is: {', '.join(INTERVALS)}"),
            START,
            END,
        ),
        "/api/weeks": {
            "get": operation(
                "candles",
                "getWeeks",
                "A letter for each week of several series",
                {"200": answer("In the order asked for", success(count=COUNT, weeks=listed(ref("Weeks"))))}
                | STORED,
                [
                    query(
                        "series",
                        TEXT,
                        f"Up to {MOST_SERIES} such as `binance:spot:BTCUSDT`, commas between",
                        needed=True,
                    )
                ],
            )
        },
        "/api/revisions/{symbol}": _of_series(
            names,
            "listRevisions",
            "Candles that the exchange later told differently",
            success(symbol=TEXT, count=COUNT, revisions=listed(ref("Revision")), next=NEXT),
            START,
            END,
            limit(LARGEST_REVISIONS, f"So many at most, {REVISIONS} where it is not given"),
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
        [
            PATH_SYMBOL,
            *market_of(names),
            START,
            END,
            query("dry_run", FLAG, "Only tell what would go"),
        ],
    )


def _of_series(names: Names, name: str, summary: str, schema: Json, *parameters: Json) -> Json:
    answers = {"200": answer("What is known", schema)} | STORED | errors(HTTPStatus.NOT_FOUND)
    return {
        "get": operation("candles", name, summary, answers, [PATH_SYMBOL, *market_of(names), *parameters])
    }
