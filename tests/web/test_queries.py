"""The queries of alerts and dashboard ask for metrics and labels that the service really has."""

from __future__ import annotations

from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.services.service import Service
from tests.fakes import BTC
from tests.figures import Figures, scrape
from tests.syncing import run_job
from tests.watching import asked, queries
from tests.web.client import get

OF_PROMETHEUS = {"up"}
LABELS_OF_TARGETS = {"job", "instance"}


async def busy(client: AsyncHTTPServerClient, service: Service) -> Figures:
    """What is told by a service to which everything has happened once."""
    await run_job(service, BTC)
    await service.following.follows.add([BTC], None)
    await get(client, "/api/jobs")
    service.running.metrics.waited("binance-spot", 1.0)
    service.running.metrics.commanded("insert", 0.1, failed=True)
    return await scrape(client)


def labels_of(figures: Figures, metric: str) -> set[str]:
    """The labels that some sample of the metric has."""
    return {label for sample in figures.samples if sample.name == metric for label in sample.labels}


async def test_every_query_reads_metrics_and_labels_that_exist(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    figures = await busy(http_server_client, service)
    told = {sample.name for sample in figures.samples} | OF_PROMETHEUS
    for place, query in queries().items():
        found = asked(query)
        assert found.matched, place
        assert set(found.matched) <= told, place
        for metric, labels in found.matched.items():
            assert labels <= labels_of(figures, metric) | LABELS_OF_TARGETS, place
        known = {label for metric in found.matched for label in labels_of(figures, metric)}
        assert found.grouped <= known | LABELS_OF_TARGETS, place


async def test_what_is_measured_is_shown_or_watched(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    figures = await busy(http_server_client, service)
    read = {metric for query in queries().values() for metric in asked(query).matched}
    ours = {sample.name for sample in figures.samples if sample.name.startswith("market_data_")}
    parts = ("_sum", "_count")
    assert {name for name in ours - read if not name.endswith(parts)} == {
        "market_data_budget_waits_total",
        "market_data_series_stored_minutes",
    }
