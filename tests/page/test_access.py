"""The page before a service that wants a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service
from tests.page.browser import opened
from tests.page.test_changes import be_quiet

READER, WRITER = "reader-0123456789", "writer-0123456789"

STREAMS = """async (base) => {
    const query = "series=binance:spot:BTCUSDT&since=2025-06-03T00:58:00Z";
    const heard = (source) => new Promise((done, fail) => {
        source.addEventListener("candle", () => done("candle"));
        source.addEventListener("message", () => done("candle"));
        source.addEventListener("error", () => fail(new Error("refused")));
    });
    const socket = new WebSocket(`${base.replace("http", "ws")}/api/stream?${query}`);
    const source = new EventSource(`/api/stream?${query}`);
    const found = await Promise.all([heard(source), heard(socket)]);
    source.close();
    socket.close();
    return found;
}"""


@pytest.fixture(scope="module")
def service(
    exchanges: str, mongod_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    keys = f"bot:{READER}:read,admin:{WRITER}:read+write"
    settings = {**simulated_urls(exchanges), "MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "page_access"}
    log = tmp_path_factory.mktemp("page") / "log"
    with running_service(log, **settings, API_KEYS=keys, FOLLOW="binance:spot:BTCUSDT") as running:
        yield running


def log_in(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Log in").click()


def test_a_key_is_asked_for_refused_taken_and_forgotten(browser: Browser, service: RunningService) -> None:
    with opened(browser, f"http://127.0.0.1:{service.port}") as (page, watch):
        page.goto("/ui/add")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("needs a key")
        assert watch.said == []
        assert Axe().run(page).violations_count == 0
        page.keyboard.press("Escape")
        expect(page.get_by_text("The service needs a key.")).to_be_visible()
        assert Axe().run(page).violations_count == 0
        page.get_by_role("button", name="Log in").click()
        watch.expected = ("401",)
        log_in(page, "no-key-of-theirs-at-all")
        expect(dialog).to_contain_text("does not know this key")
        log_in(page, READER)
        expect(page.get_by_role("listitem").filter(has_text="BTCUSDT")).to_be_visible()
        page.get_by_role("checkbox", name="BTCUSDT").check()
        expect(page.get_by_role("button", name="Follow 1 symbol")).to_be_disabled()
        page.get_by_role("button", name="Key").click()
        log_in(page, WRITER)
        page.get_by_role("checkbox", name="BTCUSDT").check()
        expect(page.get_by_role("button", name="Follow 1 symbol")).to_be_enabled()
        page.get_by_role("button", name="Key").click()
        dialog.get_by_role("button", name="Log out").click()
        expect(dialog).to_contain_text("needs a key")
        assert page.context.cookies() == []


def test_the_key_is_nowhere_in_the_browser(browser: Browser, service: RunningService) -> None:
    with opened(browser, f"http://127.0.0.1:{service.port}") as (page, _):
        page.goto("/ui/system")
        log_in(page, READER)
        expect(page.get_by_text("Session until")).to_be_visible()
        stores = page.evaluate("JSON.stringify([localStorage, sessionStorage]) + document.cookie")
        [cookie] = page.context.cookies()
        for text in (stores, page.url, str(cookie)):
            assert "0123456789" not in text
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
        assert str(service.port) in cookie["name"]


def test_streams_and_links_work_with_a_key(browser: Browser, service: RunningService) -> None:
    base = f"http://127.0.0.1:{service.port}"
    with opened(browser, base) as (page, _):
        page.goto("/ui/")
        log_in(page, READER)
        expect(page.get_by_role("row").filter(has_text="BTCUSDT")).to_contain_text("live")
        assert page.evaluate(STREAMS, base) == ["candle", "candle"]
        page.goto("/ui/s/binance/spot/BTCUSDT?tab=export")
        with page.expect_download() as download:
            page.get_by_role("link", name="Save").click()
        assert download.value.path().read_text().startswith("open_time,")
        expect(page.locator("pre").first).to_contain_text("X-Api-Key: $KEY")


def test_what_one_tab_does_the_other_one_knows(browser: Browser, service: RunningService) -> None:
    with opened(browser, f"http://127.0.0.1:{service.port}") as (page, _):
        other = page.context.new_page()
        for one in (page, other):
            one.goto("/ui/system")
            expect(one.get_by_role("dialog")).to_contain_text("needs a key")
        log_in(page, READER)
        expect(other.get_by_text("Session until")).to_be_visible()
        expect(other.get_by_role("dialog")).to_have_count(0)
        other.get_by_role("button", name="Key", exact=True).click()
        other.get_by_role("dialog").get_by_role("button", name="Log out").click()
        expect(page.get_by_role("dialog")).to_contain_text("needs a key")


def test_a_service_that_no_longer_has_the_key_asks_for_one(browser: Browser, service: RunningService) -> None:
    """As a cookie of a key that has left the setting: signed with what nobody knows any more."""
    with opened(browser, f"http://127.0.0.1:{service.port}") as (page, watch):
        watch.expected = ("401",)
        page.goto("/ui/system")
        log_in(page, READER)
        expect(page.get_by_text("Session until")).to_be_visible()
        [cookie] = page.context.cookies()
        name, value = str(cookie.get("name")), str(cookie.get("value"))
        page.context.add_cookies(
            [{"name": name, "value": f'{value[:-4]}000"', "domain": "127.0.0.1", "path": "/"}]
        )
        expect(page.get_by_role("dialog")).to_contain_text("needs a key")
        be_quiet(page)
