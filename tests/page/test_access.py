"""The page before a service that wants a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service
from tests.page.browser import opened

READER, WRITER = "reader-0123456789", "writer-0123456789"


@pytest.fixture(scope="module")
def service(
    exchanges: str, mongod_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    keys = f"bot:{READER}:read,admin:{WRITER}:read+write"
    settings = {**simulated_urls(exchanges), "MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "page_access"}
    log = tmp_path_factory.mktemp("page") / "log"
    with running_service(log, **settings, API_KEYS=keys) as running:
        yield running


def test_a_key_is_asked_for_refused_taken_and_forgotten(browser: Browser, service: RunningService) -> None:
    with opened(browser, f"http://127.0.0.1:{service.port}") as (page, watch):
        watch.expected = ("401",)
        page.goto("/ui/add")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("needs a key")
        dialog.get_by_label("Key", exact=True).fill("no-key-of-theirs-at-all")
        dialog.get_by_role("button", name="Use it").click()
        expect(dialog).to_contain_text("does not know this key")
        dialog.get_by_label("Key", exact=True).fill(READER)
        dialog.get_by_role("button", name="Use it").click()
        expect(page.get_by_role("listitem").filter(has_text="BTCUSDT")).to_be_visible()
        assert READER not in page.url
        page.get_by_role("checkbox", name="BTCUSDT").check()
        expect(page.get_by_role("button", name="Follow 1 symbol")).to_be_disabled()
        page.get_by_role("button", name="Key").click()
        dialog.get_by_label("Key", exact=True).fill(WRITER)
        dialog.get_by_role("button", name="Use it").click()
        page.get_by_role("checkbox", name="BTCUSDT").check()
        expect(page.get_by_role("button", name="Follow 1 symbol")).to_be_enabled()
        page.get_by_role("button", name="Key").click()
        dialog.get_by_role("button", name="Forget").click()
        expect(dialog).to_contain_text("needs a key")
        assert page.evaluate("JSON.stringify([localStorage, sessionStorage])").count("0123456789") == 0
