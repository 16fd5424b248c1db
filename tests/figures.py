"""What `/metrics` tells, read by Prometheus' own parser."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.telemetry.gauges import ServiceState
from backend.telemetry.metrics import Metrics

NOTHING = ServiceState(False, False, {}, {})


class Figures:
    """The samples of one exposition."""

    def __init__(self, text: str) -> None:
        self.samples = list(_samples(text))

    def value(self, name: str, **labels: str) -> float | None:
        """The value with exactly these labels, None if there is none; `name` without its prefix."""
        found = [
            one.value for one in self.samples if (one.name, one.labels) == (f"market_data_{name}", labels)
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {one.labels[label] for one in self.samples if one.name == f"market_data_{name}"}


def counted(metrics: Metrics) -> Figures:
    """What was counted, without anything looked up."""
    return Figures(metrics.exposition(NOTHING).decode())


async def scrape(client: AsyncHTTPServerClient) -> Figures:
    """What the service tells Prometheus."""
    answer = await client.fetch("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=1.0.0; charset=utf-8"
    return Figures(answer.body.decode())


def _samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples
