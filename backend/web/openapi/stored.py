"""What tells of the store: series, statistics, coverage, revisions. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.api import coverage, overview, removal, revisions
from backend.web.api import series as listing
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import HEADERS, answer, answer_header, errors, operation, ref
from backend.web.openapi.requests import PATH_SYMBOL, Names, Parameters, in_query
from backend.web.server.common_parameters import MARKET_NAME
from backend.web.server.json_schema import (
    Json,
)


def stored(names: Names) -> dict[str, Json]:
    """The paths."""
    return {
        "/api/series": {
            "get": operation(
                "candles",
                "listSeries",
                "All stored series of all markets",
                {"200": answer("By name", ref("StoredAnswer"))} | STORED,
                in_query(listing.PARAMETERS),
            )
        },
        "/api/overview": {"get": _overview()},
        "/api/series/{symbol}": {"delete": _removal(names)},
        "/api/stats/{symbol}": _of_series(
            names,
            "getStatistics",
            "What is stored of a series",
            ref("StatisticsAnswer"),
        ),
        "/api/coverage/{symbol}": _of_series(
            names,
            "getCoverage",
            "Held, void and missing minutes between two times, as windows",
            ref("Coverage"),
            coverage.COVERAGE,
        ),
        "/api/map/{symbol}": _of_series(
            names,
            "getMap",
            f"How many minutes are held, missing and void, bucket by bucket; {coverage.MOST_BUCKETS} buckets "
            "at most",
            ref("Map"),
            coverage.MAP,
        ),
        "/api/revisions/{symbol}": _of_series(
            names,
            "listRevisions",
            "Candles that the exchange changed later",
            ref("RevisionsAnswer"),
            revisions.PARAMETERS,
        ),
    }


def _overview() -> Json:
    tag = answer_header("Send it as `If-None-Match`: if nothing has changed, the answer is 304")
    return operation(
        "candles",
        "getOverview",
        "All stored or followed series, one entry for each: coverage, missing minutes, state of the follow",
        {
            "200": answer("By name", ref("OverviewAnswer"), headers={"ETag": tag}),
            "304": {"description": "Nothing has changed: use the answer that you have", "headers": HEADERS},
        }
        | STORED,
        in_query(overview.PARAMETERS),
    )


def _removal(names: Names) -> Json:
    return operation(
        "sync",
        "deleteSeries",
        "Delete a stored series, or the minutes of a window",
        {"200": answer("Deleted data, or the data that a deletion would remove", ref("Removed"))}
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
