"""A series on the page: its candles, its holes with their causes, and what the buttons do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService
from tests.page.browser import opened
from tests.page.conftest import Opener, have

SERIES = "/ui/s/binance/spot/BTCUSDT"
DAY = 86_400_000
MINUTE = 60_000
JUNE = 1_748_736_000_000
"""2025-06-01T00:00:00Z"""
OUTAGE = [JUNE + DAY + 60 * MINUTE, JUNE + DAY + 67 * MINUTE]


@pytest.fixture(scope="module", autouse=True)
def stored(service: RunningService, exchanges: str) -> None:
    """Two days of BTCUSDT with an outage of seven minutes."""
    have(exchanges, "/_sim/faults", outages=[OUTAGE])
    assert service.call("/api/sync", {"symbol": "BTCUSDT", "start_time": "2025-06-01"})[0] == 200
    have(exchanges, "/_sim/faults", outages=[])


def rows_of_chart(page: Page) -> list[list[str]]:
    """The candles that can be seen, newest first, from the table for who does not see the chart."""
    button = page.get_by_role("button", name="As a table")
    if button.get_attribute("aria-expanded") == "true":
        button.click()
    button.click()
    rows = page.locator(".table-of-candles tbody tr")
    return [row.split("\t") for row in rows.all_inner_texts()]


def newest(service: RunningService, interval: str, number: int = 1) -> list[dict[str, Any]]:
    path = f"/api/data/BTCUSDT?interval={interval}&last={number}&forming=true"
    found: list[dict[str, Any]] = service.call(path)[1]["data"]
    return found


def number(text: str) -> float:
    return float(text.replace(",", ""))


def wait_for_chart(page: Page) -> None:
    expect(page.locator(".legend b").first).to_be_visible()
    expect(page.locator(".chart canvas").first).to_be_visible()


def test_the_chart_shows_what_the_service_tells(open_page: Opener, service: RunningService) -> None:
    with open_page() as (page, _):
        page.goto(f"{SERIES}?i=1m")
        wait_for_chart(page)
        shown, told = rows_of_chart(page)[0], newest(service, "1m")[0]
        values = [told[name] for name in ("open", "high", "low", "close")]
        assert [number(text) for text in shown[1:5]] == pytest.approx(values)
        for name in ("5m", "1d"):
            page.get_by_role("button", name=name, exact=True).click()
            expect(page).to_have_url(re.compile(f"i={name}"))
            close = f"{newest(service, name)[0]['close']:,}"
            expect(page.locator(".legend")).to_contain_text(close)


def test_a_hole_is_seen_explained_and_repaired_by_its_button(
    open_page: Opener, service: RunningService
) -> None:
    with open_page() as (page, _):
        page.goto(f"{SERIES}?i=5m")
        wait_for_chart(page)
        hole = page.get_by_role("listitem").filter(has_text="7 minutes")
        expect(hole).to_contain_text("7 minutes")
        expect(hole).to_contain_text("The exchange has no candle here. The service asked twice, last")
        hole.get_by_role("button", name="Show").click()
        expect(page.get_by_role("status").filter(has_text="Reading")).to_have_count(0)
        page.locator(".chart").scroll_into_view_if_needed()
        assert any("5 minutes that the exchange does not have" in row[1] for row in rows_of_chart(page))
        hole.get_by_role("button", name="Ask again").click()
        expect(page.locator(".holes")).not_to_contain_text("no candle here")
        expect(page.locator(".facts")).to_contain_text(" 0 that the exchange does not have")
    known = service.call("/api/coverage/BTCUSDT")[1]
    assert (known["void_records"], known["missing_records"]) == (0, 0)


def test_a_day_of_the_map_opens_by_keys_and_tells_its_minutes(open_page: Opener) -> None:
    with open_page() as (page, _):
        page.goto(SERIES)
        days = page.locator(".days-map")
        expect(days).to_have_attribute("aria-label", re.compile("BTCUSDT, 3 days"))
        days.focus()
        page.keyboard.press("Home")
        expect(page.locator(".told").first).to_contain_text("Jun 1, 2025: 1,440 held")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Jun 2, 2025")).to_be_visible()
        minutes = page.locator(".minutes-map")
        expect(minutes).to_have_attribute("aria-label", re.compile(r"^1,4\d\d minutes held"))
        page.get_by_role("button", name="The day before").click()
        expect(page.get_by_role("heading", name="Jun 1, 2025")).to_be_visible()
        expect(minutes).to_have_attribute("aria-label", re.compile("^1,440 minutes held, 0 missing"))


def test_rows_that_were_lost_show_by_verify_and_come_back_by_fetch(
    open_page: Opener, service: RunningService
) -> None:
    window = f"start_time={JUNE + 10 * MINUTE}&end_time={JUNE + 12 * MINUTE}"
    with open_page() as (page, _):
        page.goto(SERIES)
        wait_for_chart(page)
        page.get_by_role("button", name="Verify").click()
        expect(page.locator(".result")).to_contain_text("the ledger is right")
        assert service.call(f"/api/series/BTCUSDT?{window}", method="DELETE")[0] == 200
        page.get_by_role("button", name="Fetch the missing minutes").click()
        expect(page.locator(".result")).to_contain_text("3 new minutes.")


def test_new_minutes_come_to_an_open_page_each_once(
    browser: Browser, exchanges: str, mongod_uri: str, tmp_path: Path
) -> None:
    """Also while the service is killed and comes back."""
    settings = {**simulated_urls(exchanges), "MONGODB_URI": mongod_uri, "MONGODB_DATABASE": tmp_path.name}
    first = RunningService(tmp_path / "log", settings)
    wish = {"symbol": "ETHUSDT", "start_time": "2025-06-03"}
    assert first.call("/api/sync", wish)[0] == 200
    with urlopen(f"{exchanges}/_sim/clock") as answer:
        now = json.load(answer)["now"]
    with opened(browser, f"http://127.0.0.1:{first.port}") as (page, watch):
        watch.expected = ("ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY")
        page.goto("/ui/s/binance/spot/ETHUSDT?i=1m")
        wait_for_chart(page)
        before = len(rows_of_chart(page))
        have(exchanges, "/_sim/clock", now=now + 2 * MINUTE)
        assert first.call("/api/sync", wish)[0] == 200
        told = first.call("/api/data/ETHUSDT?last=1")[1]["data"][0]
        expect(page.locator(".legend")).to_contain_text(f"{told['close']:,}")
        first.kill()
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        second = RunningService(tmp_path / "log", settings, port=first.port)
        try:
            have(exchanges, "/_sim/clock", now=now + 5 * MINUTE)
            assert second.call("/api/sync", wish)[0] == 200
            rows = second.call("/api/data/ETHUSDT?last=10")[1]["data"]
            expect(page.locator(".legend")).to_contain_text(f"{rows[-1]['close']:,}")
            shown = rows_of_chart(page)[:10]
            assert [number(row[4]) for row in shown] == [row["close"] for row in reversed(rows)]
            assert len({row[0] for row in shown}) == 10
            assert before > 0
        finally:
            second.stop()
            have(exchanges, "/_sim/clock", now=now)


def test_without_the_chart_library_the_rest_works(open_page: Opener, service: RunningService) -> None:
    with open_page() as (page, watch):
        watch.expected = ("ERR_FAILED",)
        page.route("**/lightweight-charts.js", lambda route: route.abort())
        page.goto(SERIES)
        expect(page.get_by_role("status").filter(has_text="not installed")).to_be_visible()
        expect(page.locator(".legend")).to_contain_text(f"{newest(service, '1h')[0]['close']:,}")
        expect(page.locator(".days-map")).to_be_visible()
        assert len(rows_of_chart(page)) > 10


def test_export_gives_a_link_and_lines_that_work(open_page: Opener) -> None:
    with open_page() as (page, _):
        page.goto(f"{SERIES}?tab=export")
        page.get_by_role("tabpanel").get_by_label("Interval").select_option("4h")
        page.get_by_label("From").fill("2025-06-02")
        expect(page.locator("figure").filter(has_text="pandas")).to_contain_text("interval=4h")
        expect(page.locator("figure").filter(has_text="ccxt")).to_contain_text("BTC/USDT")
        with page.expect_download() as download:
            page.get_by_role("link", name="Save the file").click()
        text = Path(download.value.path()).read_text()
        assert download.value.suggested_filename == "binance.spot.BTCUSDT-4h.csv"
        assert text.splitlines()[1].startswith(str(JUNE + DAY))


def test_a_series_is_deleted_only_after_a_question(open_page: Opener, service: RunningService) -> None:
    assert service.call("/api/sync", {"symbol": "SOLUSDT", "start_time": "2025-06-03"})[0] == 200
    stored = service.call("/api/stats/SOLUSDT")[1]["statistics"]["total_records"]
    with open_page() as (page, watch):
        watch.expected = ("404",)
        page.goto("/ui/s/binance/spot/SOLUSDT")
        wait_for_chart(page)
        page.get_by_role("button", name="Delete …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(f"{stored} candles")
        dialog.get_by_role("button", name="Cancel").click()
        assert service.call("/api/stats/SOLUSDT")[0] == 200
        page.get_by_role("button", name="Delete …").click()
        dialog.get_by_role("button", name=f"Delete {stored} candles").click()
        expect(page).to_have_url(re.compile("/ui/$"))
    assert service.call("/api/stats/SOLUSDT")[0] == 404


def test_revisions_show_both_values(open_page: Opener) -> None:
    """Told by a route between, since simulated exchanges change nothing by themselves."""
    revision = {
        "open_time": JUNE + 2 * DAY,
        "timestamp": "2025-06-03T00:00:00Z",
        "seen": "2025-06-03T01:00:00Z",
        "before": {"close": 1.5, "volume": 2.0},
        "after": {"close": 1.5, "volume": 2.25},
    }
    with open_page() as (page, _):
        page.route(
            "**/api/revisions/**", lambda route: route.fulfill(json={"revisions": [revision], "next": None})
        )
        page.goto(f"{SERIES}?tab=revisions")
        wait_for_chart(page)
        expect(page.get_by_role("row").filter(has_text="volume 2 → 2.25")).to_be_visible()


def test_a_series_that_is_not_stored_says_so(open_page: Opener) -> None:
    with open_page() as (page, watch):
        watch.expected = ("404", "400")
        page.goto("/ui/s/binance/spot/XRPUSDT")
        expect(page.get_by_role("heading", name="Nothing is stored of this series")).to_be_visible()
        page.goto("/ui/s/no/where/%3Cb%3E")
        expect(page.locator("h1")).to_have_text("<b>")
        expect(page.locator(".empty")).to_contain_text("unknown exchange")
