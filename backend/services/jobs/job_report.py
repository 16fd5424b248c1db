"""The report of a job when this process has finished with it: a log line and metrics."""

from __future__ import annotations

import logging

from backend.core.job import Job
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


def tell_end(job: Job, metrics: Metrics, now: int) -> None:
    """Report a job that is over, or that waits for another start, at `now` (ms)."""
    seconds = 0.0 if job.started is None else (now - job.started) / 1000
    if job.over:
        metrics.job_ended(job.status, seconds)
    tally = job.tally
    log.log(
        logging.WARNING if job.status == "failed" else logging.INFO,
        "%s: job %s %s: %d of %d minutes, %d new candles, %.1f s, %d requests, %d retries, %d waits%s",
        job.request.series.name,
        job.id,
        job.status,
        tally.minutes_done,
        tally.minutes_total,
        tally.new_records,
        seconds,
        tally.requests,
        tally.retries,
        tally.waits,
        f": {job.failure.message}" if job.failure else "",
        extra=_fields(job, seconds),
    )


def _fields(job: Job, seconds: float) -> dict[str, object]:
    tally = job.tally
    return {
        "job": job.id,
        "series": job.request.series.name,
        "status": job.status,
        "minutes": tally.minutes_done,
        "new_candles": tally.new_records,
        "revised_candles": tally.revised_records,
        "seconds": round(seconds, 3),
        "requests": tally.requests,
        "retries": tally.retries,
        "waits": tally.waits,
        "wait_seconds": tally.waited,
        "error": job.failure.code if job.failure else None,
    }
