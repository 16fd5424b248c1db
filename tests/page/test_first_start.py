"""From nothing stored to a complete, followed series."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.integration.processes import RunningService
from tests.page.conftest import Opener


def test_a_first_start_leads_to_a_complete_followed_series_by_two_clicks(
    open_page: Opener, service: RunningService
) -> None:
    with open_page() as (page, _):
        page.goto("/")
        page.get_by_role("link", name="Begin with BTCUSDT").click()
        page.get_by_role("button", name="Follow 1 symbol").click()
        line = page.get_by_role("row").filter(has_text="BTCUSDT")
        expect(line).to_contain_text("live")
        expect(line.locator(".held")).to_have_text("2.9K")
        expect(line.locator(".missing")).to_have_text("0")
    assert service.call("/api/stats/BTCUSDT")[1]["statistics"]["complete"] is True
