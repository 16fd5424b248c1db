"""`POST /api/sync`: fetch the missing minutes of one or many series; answer at the end or before."""

from __future__ import annotations

from contextlib import nullcontext
from http import HTTPStatus

from msgspec.structs import asdict

from backend.core.job import Job, SyncRequest
from backend.errors import InvalidRequest, MarketDataError
from backend.services.jobs.outcome import outcome_of
from backend.web.api import sync_shapes, sync_views
from backend.web.server.common_parameters import (
    END_TIME,
    EXCHANGE,
    MARKET,
    START_TIME,
    SYMBOL,
    SYMBOLS,
    symbols_of,
    time_range,
)
from backend.web.server.handler import ApiHandler
from backend.web.server.http_errors import error_body
from backend.web.server.json_schema import FLAG
from backend.web.server.parameters import Parameter, Values, flag, invalid
from backend.web.streams.long_answer import unless_gone

LONGEST_WAIT = 86_400
PATIENT_SECONDS = 50.0
"""How long `"wait": true` waits. Many proxies cut a request without an answer after 60 s."""


def _patience(name: str, value: object) -> float:
    if isinstance(value, bool):
        return PATIENT_SECONDS if value else 0.0
    if not isinstance(value, int | float) or not 0 <= value <= LONGEST_WAIT:
        raise invalid(name, f"true, false or seconds from 0 to {LONGEST_WAIT}")
    return float(value)


REFRESH = flag(
    "refresh",
    "Read the stored minutes of the window again, and ask again for its void minutes. Needs both times",
)
WAIT = Parameter(
    "wait",
    f"`true`: answer when it is done, after {PATIENT_SECONDS:g} seconds at the latest; `false`: answer at "
    "once; a number: wait so many seconds",
    {"anyOf": [FLAG, {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}], "default": True},
    _patience,
    PATIENT_SECONDS,
)
PARAMETERS = (SYMBOL, SYMBOLS, EXCHANGE, MARKET, START_TIME, END_TIME, REFRESH, WAIT)


class SyncHandler(ApiHandler):
    async def post(self) -> None:
        self.query(())
        values = self.json_object(PARAMETERS)
        patience = values[WAIT]
        requests = self._requests(values)
        with self.rooms.waiting.place(self.client) if patience else nullcontext():
            ids = [job.id for job in await self.service.jobs.submit(requests)]
            jobs = await unless_gone(self.service.jobs.wait_for_all(ids, patience), self.gone)
        if SYMBOLS in values:
            await self._answer_all(jobs)
        else:
            await self._answer_one(jobs[0])

    def _requests(self, values: Values) -> list[SyncRequest]:
        return list(dict.fromkeys(self._request(values, symbol) for symbol in symbols_of(values)))

    def _request(self, values: Values, symbol: str) -> SyncRequest:
        series = self.series(values, symbol)
        bounds = time_range(values)
        refresh = values[REFRESH]
        if refresh and (bounds.start is None or bounds.end is None):
            raise InvalidRequest("refresh needs start_time and end_time", code="missing_time")
        start, end = bounds.window()
        return SyncRequest(
            series, None if bounds.start is None else start, None if bounds.end is None else end, refresh
        )

    async def _answer_one(self, job: Job) -> None:
        if not job.over:
            self.set_header("Location", self.base_path + sync_views.job_path(job))
            self.answer(sync_shapes.JobAnswer(job=sync_views.job(job)), HTTPStatus.ACCEPTED)
            return
        body, error = await self._outcome(job)
        self._answer(body, error)

    async def _answer_all(self, jobs: list[Job]) -> None:
        if not all(job.over for job in jobs):
            begun = sync_shapes.JobsBegun(jobs=[sync_views.job(job) for job in jobs])
            self.answer(begun, HTTPStatus.ACCEPTED)
            return
        outcomes = [await self._outcome(job) for job in jobs]
        results = [body for body, _ in outcomes]
        first = next((error for _, error in outcomes if error), None)
        self._answer({"success": first is None, "results": results}, first)

    def _answer(self, body: dict[str, object], error: MarketDataError | None) -> None:
        if error is None:
            self.answer(body)
        else:
            self.answer_error(error, more=body)

    async def _outcome(self, job: Job) -> tuple[dict[str, object], MarketDataError | None]:
        """The answer for a job that is over, and the job's error."""
        series = job.request.series
        error, result = await outcome_of(job, self.service.reading.queries)
        body: dict[str, object] = (
            asdict(sync_views.sync(job, result))
            if result
            else {
                "success": True,
                "symbol": series.symbol,
                "exchange": series.exchange,
                "market": series.market,
                "job": job.id,
            }
        )
        return body | (error_body(error.code, str(error)) if error else {}), error
