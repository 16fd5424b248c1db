"""axe-core finds nothing on any screen, light or dark, on a desk or a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.integration.processes import RunningService
from tests.page.conftest import Opener

SCREENS: Sequence[str] = (
    *("/ui/", "/ui/jobs", "/ui/add", "/ui/import", "/ui/system", "/ui/s/binance/spot/BTCUSDT"),
    *(f"/ui/s/binance/spot/BTCUSDT?tab={tab}" for tab in ("revisions", "export")),
)


@pytest.fixture(scope="module", autouse=True)
def stored(service: RunningService) -> None:
    assert service.call("/api/sync", {"symbol": "BTCUSDT", "start_time": "2025-06-02"})[0] == 200


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("dark", 360)])
def test_axe_finds_nothing(open_page: Opener, theme: str, width: int) -> None:
    with open_page(theme=theme, width=width) as (page, _):
        for screen in SCREENS:
            page.goto(screen)
            expect(page.locator("h1")).to_be_visible()
            expect(page.locator("main[aria-busy]")).to_have_count(0)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{screen}\n{found.generate_report()}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(open_page: Opener, theme: str) -> None:
    """Dialogs, a day of the map, a chart as a table."""
    with open_page(theme=theme) as (page, _):
        page.goto("/ui/s/binance/spot/BTCUSDT")
        expect(page.locator("main[aria-busy]")).to_have_count(0)
        page.get_by_role("button", name="As a table").click()
        page.locator(".days-map").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".minutes-map")).to_be_visible()
        opened: dict[str, Callable[[], object]] = {
            "day": lambda: None,
            "palette": lambda: page.keyboard.press("Control+k"),
            "keys": lambda: page.keyboard.press("?"),
            "key": lambda: page.get_by_role("button", name="Key").click(),
            "delete": lambda: page.get_by_role("button", name="Delete …").click(),
        }
        for name, act in opened.items():
            act()
            if name != "day":
                expect(page.get_by_role("dialog")).to_be_visible()
            found = Axe().run(page)
            assert found.violations_count == 0, f"{name}\n{found.generate_report()}"
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
            page.evaluate("document.activeElement.blur()")
