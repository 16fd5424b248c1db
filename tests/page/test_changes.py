"""Open pages hear of changes: no tab asks again and again, and all tabs share one connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.integration.processes import RunningService
from tests.page.conftest import Opener

LIVE = """async () => {
    const files = document.querySelector("script[type=module]").src.replace("app.js", "");
    const { isLive } = await import(`${files}changes.js`);
    while (!isLive()) await new Promise((done) => setTimeout(done, 50));
}"""
QUIET_MS = 8_000
"""Longer than any pause between two questions without changes."""


@pytest.fixture(scope="module", autouse=True)
def stored(service: RunningService) -> None:
    assert service.call("/api/sync", {"symbol": "BTCUSDT", "start_time": "2025-06-03"})[0] == 200


@contextmanager
def asked(page: Page) -> Iterator[list[str]]:
    """The paths that all tabs of a browser ask for meanwhile, but files."""
    found: list[str] = []

    def note(request: Request) -> None:
        path = urlsplit(request.url).path
        if not path.startswith("/ui/"):
            found.append(path)

    page.context.on("request", note)
    yield found
    page.context.remove_listener("request", note)


def be_quiet(page: Page) -> None:
    """Wait for a while in which nothing is asked for: there is none while a page asks again and again."""
    for _ in range(6):
        with asked(page) as paths:
            page.wait_for_timeout(QUIET_MS)
        if not paths:
            return
    pytest.fail(f"the page goes on asking for {set(paths)}")


def sync(service: RunningService, symbol: str, exchange: str = "binance") -> None:
    wish = {"symbol": symbol, "exchange": exchange, "start_time": "2025-06-03"}
    assert service.call("/api/sync", wish)[0] == 200


def test_a_page_asks_for_nothing_while_nothing_changes_and_at_once_when_something_does(
    open_page: Opener, service: RunningService
) -> None:
    with open_page() as (page, _):
        page.goto("/ui/")
        expect(page.get_by_role("row").filter(has_text="BTCUSDT")).to_be_visible()
        page.evaluate(LIVE)
        be_quiet(page)
        with asked(page) as paths:
            sync(service, "ETHUSDT")
            expect(page.get_by_role("row").filter(has_text="ETHUSDT")).to_be_visible()
        assert "/api/overview" in paths


def test_two_tabs_share_one_connection_and_the_second_goes_on_when_the_first_closes(
    open_page: Opener, service: RunningService
) -> None:
    with open_page() as (page, _), asked(page) as paths:
        page.goto("/ui/")
        page.evaluate(LIVE)
        other = page.context.new_page()
        other.goto("/ui/jobs")
        other.evaluate(LIVE)
        assert paths.count("/api/changes") == 1
        sync(service, "SOLUSDT")
        expect(page.get_by_role("row").filter(has_text="SOLUSDT")).to_be_visible()
        expect(other.get_by_role("listitem").filter(has_text="SOLUSDT")).to_contain_text("done")
        page.close()
        sync(service, "XRPUSDT")
        expect(other.get_by_role("listitem").filter(has_text="XRPUSDT")).to_contain_text("done")
        assert paths.count("/api/changes") == 2
        other.close()


def test_a_job_is_told_step_by_step_to_an_open_page(open_page: Opener, service: RunningService) -> None:
    with open_page() as (page, _):
        page.goto("/ui/jobs")
        page.evaluate(LIVE)
        be_quiet(page)
        with asked(page) as paths:
            sync(service, "BTCUSDT", "bitget")
            expect(page.get_by_role("listitem").filter(has_text="bitget")).to_contain_text("done")
        assert paths == []


def test_where_streams_are_cut_the_page_asks_instead(open_page: Opener, service: RunningService) -> None:
    with open_page() as (page, watch):
        watch.expected = ("ERR_FAILED",)
        page.route("**/api/changes", lambda route: route.abort())
        page.goto("/ui/")
        expect(page.get_by_role("row").filter(has_text="BTCUSDT").first).to_be_visible()
        sync(service, "BTCUSDT", "bingx")
        expect(page.get_by_role("row").filter(has_text="bingx")).to_be_visible()
