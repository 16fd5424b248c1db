"""The shapes of what `web/api/views.py` writes. Pure."""

from __future__ import annotations

from backend.web.api.jobs import STATUSES
from backend.web.openapi.parts import ref
from backend.web.server.json_schema import (
    COUNT,
    FLAG,
    INTEGER,
    MAYBE_MOMENT,
    MOMENT,
    NUMBER,
    TEXT,
    Json,
    choice,
    const,
    listed,
    record,
)

SERIES = {"symbol": TEXT, "exchange": TEXT, "market": TEXT}
BOUNDS = {"start_time": MOMENT, "end_time": MOMENT, "minutes": {"type": "integer", "minimum": 1}}
REASON = choice(("before_listing", "no_data", "contradictory"))
CHANGED = {"type": "object", "additionalProperties": NUMBER}
NEXT: Json = {
    "type": ["integer", "null"],
    "description": "Where the following page begins; null: there is none",
}

MISSING = {"missing_records": COUNT, "missing": listed(ref("Window"))}
ABSENT = {"void_records": COUNT, "void": listed(ref("Absence"))}

STATISTICS = {
    **SERIES,
    "total_records": COUNT,
    "first_record": MAYBE_MOMENT,
    "last_record": MAYBE_MOMENT,
    "expected_records": COUNT,
    "missing_records": COUNT,
    "void_records": COUNT,
    "complete": FLAG,
}

FAILURE = record({"code": TEXT, "message": TEXT})

JOB = {
    "id": TEXT,
    "status": choice(STATUSES),
    "cancelling": FLAG,
    **SERIES,
    "refresh": FLAG,
    "start_time": MAYBE_MOMENT,
    "end_time": MAYBE_MOMENT,
    "minutes_done": COUNT,
    "minutes_total": COUNT,
    "candles_per_second": NUMBER,
    "seconds_left": {"type": ["number", "null"]},
    "new_records": COUNT,
    "revised_records": COUNT,
    "off_grid_rows": COUNT,
    "contradictory_rows": COUNT,
    "archive_files": COUNT,
    "notes": listed(TEXT),
    "requests": COUNT,
    "retries": COUNT,
    "rate_limit_waits": COUNT,
    "rate_limit_seconds": NUMBER,
    "created": MOMENT,
    "started": MAYBE_MOMENT,
    "finished": MAYBE_MOMENT,
    "error": {"anyOf": [FAILURE, {"type": "null"}]},
}

ABOUT_SYNC = SERIES | {"job": TEXT}
RESULT = {
    "new_records": COUNT,
    "revised_records": COUNT,
    "statistics": ref("Statistics"),
    "complete": FLAG,
    **MISSING,
    **ABSENT,
    "off_grid_rows": COUNT,
    "contradictory_rows": COUNT,
    "archive_files": COUNT,
    "notes": listed(TEXT),
}
FAILED = {"success": const(False), "error": FAILURE} | ABOUT_SYNC | RESULT

SCHEMAS: dict[str, Json] = {
    "Window": record(BOUNDS) | {"description": "Minutes, the first and the last open time included"},
    "Absence": record(BOUNDS | {"reason": REASON}),
    "Void": record(BOUNDS | {"reason": REASON, "confirmed": MOMENT, "ask_again": MAYBE_MOMENT}),
    "Statistics": record(STATISTICS),
    "Job": record(JOB),
    "Sync": record({"success": const(True)} | ABOUT_SYNC | RESULT),
    "FailedSync": record(FAILED, optional=(*ABOUT_SYNC, *RESULT)),
    "Syncs": record({"success": const(True), "results": listed(ref("Sync"))}),
    "FailedSyncs": record(
        {
            "success": const(False),
            "error": FAILURE,
            "results": listed({"anyOf": [ref("Sync"), ref("FailedSync")]}),
        }
    ),
    "Listing": record(
        {
            "symbol": TEXT,
            "native": {"type": ["string", "null"], "description": "The exchange's own spelling"},
            "base": TEXT,
            "quote": TEXT,
            "status": TEXT | {"description": "The exchange's word; `unlisted` for what it does not list"},
            "listed": MAYBE_MOMENT,
            "stored": FLAG,
        }
    ),
    "Stored": record(
        {
            **SERIES,
            "first_record": MAYBE_MOMENT,
            "last_record": MAYBE_MOMENT,
            "total_records": COUNT,
            "missing_records": COUNT,
            "void_records": COUNT,
            "complete": FLAG,
            "bytes_on_disk": COUNT,
            "measured": MOMENT | {"description": "When `bytes_on_disk` was measured"},
        }
    ),
    "Revision": record(
        {"open_time": INTEGER, "timestamp": MOMENT, "seen": MOMENT, "before": CHANGED, "after": CHANGED}
    ),
}
