"""The system screen: how the service is, and which processes share its database."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service
from tests.page.conftest import Opener


def test_the_processes_that_share_the_database_are_listed_with_what_they_do(
    open_page: Opener, service: RunningService, exchanges: str, mongod_uri: str, tmp_path: Path
) -> None:
    assert service.call("/api/follow", {"symbol": "BTCUSDT", "since": "2025-06-03"})[0] == 200
    name = service.call("/api/processes")[1]["processes"][0]["name"]
    with open_page() as (page, _):
        page.goto("/ui/system")
        rows = page.locator("section").filter(has_text="Processes").get_by_role("row")
        expect(rows).to_have_count(2)
        number = name.split(":")[1]
        expect(rows.last).to_contain_text(f"{number}answers you0 running · 1 followed100%")
        database = service.database
        settings = {**simulated_urls(exchanges), "MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database}
        with running_service(tmp_path / "log", **settings, ROLE="api", EGRESS="elsewhere"):
            other = page.get_by_role("row").filter(has_text="elsewhere")
            expect(other).to_contain_text("answers requests")
            expect(other).not_to_contain_text("answers you")
        expect(rows).to_have_count(2)
