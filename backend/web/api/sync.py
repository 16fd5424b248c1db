"""`POST /api/sync`: fetch what is missing of one or many series; answer when that is done, or before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from http import HTTPStatus

from backend.core.job import Job, SyncRequest
from backend.errors import InvalidRequest, MarketDataError
from backend.services.jobs.outcome import outcome_of
from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler
from backend.web.server.http_errors import error_body
from backend.web.streams.long_answer import unless_gone

KNOWN = ("symbol", "symbols", "exchange", "market", "start_time", "end_time", "refresh", "wait")


class SyncHandler(ApiHandler):
    async def post(self) -> None:
        self.query(())
        values = self.json_object(KNOWN)
        patience = params.patience(values)
        requests = self._requests(values)
        with self.rooms.waiting.place(self.client) if patience else nullcontext():
            ids = [job.id for job in await self.service.jobs.submit(requests)]
            jobs = await unless_gone(self.service.jobs.wait_for_all(ids, patience), self.gone)
        if "symbols" in values:
            await self._answer_all(jobs)
        else:
            await self._answer_one(jobs[0])

    def _requests(self, values: dict[str, object]) -> list[SyncRequest]:
        if "symbols" not in values:
            return [self._request(values)]
        if "symbol" in values:
            raise InvalidRequest("give either symbol or symbols", code="invalid_symbols")
        each = (self._request(values | {"symbol": symbol}) for symbol in params.symbols(values))
        return list(dict.fromkeys(each))

    def _request(self, values: Mapping[str, object]) -> SyncRequest:
        series = self.series(values)
        bounds = params.time_range(values)
        refresh = params.flag(values, "refresh")
        if refresh and (bounds.start is None or bounds.end is None):
            raise InvalidRequest("refresh needs start_time and end_time", code="missing_time")
        start, end = bounds.window()
        return SyncRequest(
            series, None if bounds.start is None else start, None if bounds.end is None else end, refresh
        )

    async def _answer_one(self, job: Job) -> None:
        if not job.over:
            self.set_header("Location", self.base_path + views.job_path(job))
            self.answer({"success": True, "job": views.job(job)}, HTTPStatus.ACCEPTED)
            return
        body, error = await self._outcome(job)
        self._answer(body, error)

    async def _answer_all(self, jobs: list[Job]) -> None:
        if not all(job.over for job in jobs):
            self.answer({"success": True, "jobs": [views.job(job) for job in jobs]}, HTTPStatus.ACCEPTED)
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
        """What the answer says of a job that is over, and the error that it ended with."""
        series = job.request.series
        about = {"symbol": series.symbol, "exchange": series.exchange, "market": series.market, "job": job.id}
        error, result = await outcome_of(job, self.service.reading.queries)
        return _failed(error) | about | (views.sync_result(result) if result else {}), error


def _failed(error: MarketDataError | None) -> dict[str, object]:
    return {"success": True} if error is None else error_body(error.code, str(error))
