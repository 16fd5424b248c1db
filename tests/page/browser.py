"""A headless Chromium of the system, driven by Playwright; what pages say and whom they ask is watched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PATIENCE_MS = 60_000
"""How long a test waits for something to appear on a machine that is busy."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium; skips where none is installed, but not where it must be there."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        told = "no Chromium is installed: apt install chromium"
        pytest.fail(told) if os.environ.get("CHROMIUM_NEEDED") else pytest.skip(told)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What a page says in the console, and the hosts that it asks. What a test wants is `expected`."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.hosts: set[str] = set()
        self.expected: tuple[str, ...] = ()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def unexpected(self) -> list[str]:
        return [line for line in self.said if not any(part in line for part in self.expected)]


@contextmanager
def opened(
    browser: Browser, base: str, theme: str = "light", width: int = 1280, height: int = 800, **more: str
) -> Iterator[tuple[Page, Watch]]:
    """A page of a fresh profile, which must end with a quiet console and must ask no other host."""
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        locale=more.get("locale", "en-US"),
        timezone_id="Europe/Madrid",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch = Watch(page)
    try:
        yield page, watch
        assert not watch.unexpected(), watch.said
        assert watch.hosts - {""} == {urlsplit(base).netloc}
    finally:
        context.close()
