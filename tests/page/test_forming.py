"""The candle that is forming, on an open page, until it closes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import simulated_urls
from tests.integration.processes import running_service, running_simulator
from tests.page.browser import opened
from tests.page.test_series import number, rows_of_chart, wait_for_chart

NOW = "2025-06-03T01:00:40Z"
"""Twenty seconds before a minute ends, by a clock that runs as ours does."""


def test_the_drawn_candle_is_at_its_close_what_the_service_stores(
    browser: Browser, mongod_uri: str, tmp_path: Path
) -> None:
    with running_simulator("--now", NOW, "--no-limit") as exchanges:
        settings = {**simulated_urls(exchanges), "MONGODB_URI": mongod_uri, "MONGODB_DATABASE": tmp_path.name}
        pushed = exchanges.replace("http", "ws")
        with running_service(tmp_path / "log", **settings, BINANCE_SPOT_WS_URL=pushed) as service:
            wish = {"symbol": "BTCUSDT", "since": "2025-06-03"}
            assert service.call("/api/follow", wish)[0] == 200
            with opened(browser, f"http://127.0.0.1:{service.port}") as (page, watch):
                watch.expected = ("404",)
                page.goto("/ui/s/binance/spot/BTCUSDT?i=1m")
                wait_for_chart(page)
                expect(page.locator(".legend")).to_contain_text("forming")
                running = rows_of_chart(page)[0]
                expect(page.locator(".legend b").first).not_to_have_text(running[0], timeout=90_000)
                closed = next(row for row in rows_of_chart(page) if row[0] == running[0])
                told = service.call("/api/data/BTCUSDT?last=3")[1]["data"]
                (stored,) = [one for one in told if one["timestamp"][11:16] == running[0][-5:]]
                values = [stored[name] for name in ("open", "high", "low", "close")]
                assert [number(text) for text in closed[1:5]] == pytest.approx(values)
