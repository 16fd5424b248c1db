"""`make screenshots`: pictures of the page for the documents, out of simulated exchanges."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect

from backend.store.embedded import EmbeddedMongod
from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service, running_simulator
from tests.page.browser import opened, running_browser
from tests.page.conftest import have

DOCS = Path(__file__).parents[2] / "docs"
NOW, LATER = "2026-03-01T12:30:40Z", "2026-03-01T12:33:00Z"
"""The exchanges' clock at first, and the browser's."""

DAY = 86_400_000
MARCH = 1_772_323_200_000
"""2026-03-01T00:00:00Z"""


def fill(service: RunningService, exchanges: str) -> None:
    """Some series: followed, with an outage, with a stretch that an exchange would not tell."""
    have(exchanges, "/_sim/faults", outages=[[MARCH - 40 * DAY, MARCH - 40 * DAY + DAY // 6]])
    wish = {"symbols": ["BTCUSDT", "ETHUSDT", "SOLUSDT"], "since": "2025-02-01"}
    assert service.call("/api/follow", wish)[0] == 200
    for exchange, market, since in (
        *(("bitget", "perpetual", "2025-12-01"), ("bingx", "perpetual", "2026-01-10")),
        ("binance", "perpetual", "2025-06-01"),
    ):
        about = {"symbol": "BTCUSDT", "exchange": exchange, "market": market, "start_time": since}
        service.call("/api/sync", about, seconds=120)
    have(exchanges, "/_sim/faults", failing=[[MARCH - 12 * DAY, MARCH - 11 * DAY]])
    about = {"symbol": "ETHUSDT", "exchange": "bingx", "start_time": "2026-02-26"}
    service.call("/api/sync", about)
    service.call("/api/sync", about | {"exchange": "bitget", "start_time": "2026-02-01"}, seconds=120)
    have(exchanges, "/_sim/faults", failing=[])


def shoot(page: Page, path: str, name: str) -> None:
    page.clock.set_system_time(LATER)
    page.goto(path)
    expect(page.locator("main[aria-busy]")).to_have_count(0)
    expect(page.locator(".dot[data-state=waiting]")).to_have_count(0)
    page.wait_for_timeout(1500)
    page.screenshot(path=DOCS / f"{name}.png")


def take(browser: Browser, base: str) -> None:
    series = "/ui/s/binance/spot/BTCUSDT"
    with opened(browser, base, width=1240, height=620) as (page, _):
        shoot(page, "/ui/", "page-overview")
    with opened(browser, base, width=1240, height=1080) as (page, _):
        shoot(page, series, "page-series")


def main() -> None:
    with TemporaryDirectory(prefix="screenshots-") as folder:
        mongod = EmbeddedMongod(Path(folder))
        uri = mongod.start()
        try:
            with running_simulator("--now", NOW, "--no-limit") as exchanges, running_browser() as browser:
                pushed = exchanges.replace("http", "ws")
                settings = {**simulated_urls(exchanges), "MONGODB_URI": uri, "BINANCE_SPOT_WS_URL": pushed}
                with running_service(Path(folder) / "log", **settings) as service:
                    fill(service, exchanges)
                    take(browser, f"http://127.0.0.1:{service.port}")
        finally:
            mongod.stop()


if __name__ == "__main__":
    main()
