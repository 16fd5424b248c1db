"""What the overview tells, and what its buttons do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.integration.processes import RunningService
from tests.page.conftest import Opener, have

HOUR = 3_600_000
FAILING = 1_748_822_400_000
"""2025-06-02T00:00:00Z"""


@pytest.fixture(scope="module", autouse=True)
def stored(service: RunningService) -> None:
    for exchange in ("binance", "bingx"):
        wish = {"symbol": "BTCUSDT", "exchange": exchange, "start_time": "2025-06-03"}
        assert service.call("/api/sync", wish)[0] == 200


def test_what_is_missing_is_told_in_a_sentence_and_fetched_by_its_button(
    open_page: Opener, service: RunningService, exchanges: str
) -> None:
    have(exchanges, "/_sim/faults", failing=[[FAILING, FAILING + HOUR]])
    wish = {"symbol": "ETHUSDT", "exchange": "bitget", "start_time": "2025-06-01"}
    assert service.call("/api/sync", wish)[0] == 503
    have(exchanges, "/_sim/faults", failing=[])
    with open_page() as (page, _):
        page.goto("/ui/")
        sentence = page.locator(".sentence").filter(has_text="lacks")
        expect(sentence).to_contain_text(re.compile(r"1 series lacks [\d,]+ minutes"))
        sentence.get_by_role("button", name="Show").click()
        expect(page).to_have_url(re.compile("state=missing"))
        expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", "2")
        sentence.get_by_role("button", name="Fetch them").click()
        expect(page).to_have_url(re.compile("/ui/jobs"))
        card = page.get_by_role("listitem").filter(has_text="ETHUSDT").first
        expect(card).to_contain_text("done")
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_role("row").filter(has_text="ETHUSDT").locator(".missing")).to_have_text("0")
        expect(page.locator(".sentence").filter(has_text="lack")).to_have_count(0)


def test_filter_sort_and_groups_stand_in_the_address(open_page: Opener) -> None:
    with open_page() as (page, _):
        page.goto("/ui/")
        page.get_by_role("button", name="Held").click()
        page.get_by_role("searchbox").fill("bin")
        page.get_by_label("Groups").select_option("market")
        expect(page).to_have_url(re.compile(r"(?=.*q=bin)(?=.*sort=held)(?=.*group=market)"))
        page.reload()
        expect(page.get_by_role("searchbox")).to_have_value("bin")
        expect(page.locator(".row.group")).to_have_text(["binance spot · 1", "bingx spot · 1"])
        expect(page.get_by_role("columnheader", name="Held")).to_have_attribute("aria-sort", "ascending")


def service_job() -> dict[str, object]:
    """A job that failed, as the service tells it."""
    return {
        "id": "0123",
        "status": "failed",
        "cancelling": False,
        "exchange": "binance",
        "market": "spot",
        **dict.fromkeys(("minutes_done", "minutes_total", "candles_per_second", "new_records"), 1),
        **dict.fromkeys(("revised_records", "requests", "rate_limit_waits", "rate_limit_seconds"), 1),
        **dict.fromkeys(("start_time", "end_time", "seconds_left", "started"), None),
        **dict.fromkeys(("created", "finished"), "2025-06-03T00:00:00Z"),
    }


def test_symbols_and_reasons_that_look_like_markup_stay_text(open_page: Opener) -> None:
    """A service that is led astray, here by a route between, cannot make elements or run anything."""
    hostile = "<img src=x onerror=alert(1)><b>"
    with open_page() as (page, watch):
        watch.expected = ("503", "400")
        row = {
            "exchange": hostile,
            "market": hostile,
            "symbol": hostile,
            "first_record": None,
            "last_record": None,
            "total_records": 1,
            "missing_records": 2,
            "void_records": 3,
            "bytes_on_disk": 4,
            **dict.fromkeys(("start", "state", "lag_minutes", "source", "error")),
            "weeks": "",
        }
        page.route("**/api/overview?*", lambda route: route.fulfill(json={"series": [row], "next": None}))
        troubles = {"status": "not_ready", "troubles": [hostile]}
        page.route("**/health/ready", lambda route: route.fulfill(json=troubles, status=503))
        page.goto("/ui/")
        expect(page.get_by_role("link", name=hostile)).to_be_visible()
        expect(page.locator(".sentence").filter(has_text=hostile)).to_have_count(1)
        assert page.locator("main img, main b").count() == 0
        job = service_job() | {
            "symbol": hostile,
            "notes": [hostile],
            "error": {"code": "x", "message": hostile},
        }
        page.route("**/api/jobs?*", lambda route: route.fulfill(json={"jobs": [job]}))
        page.goto("/ui/jobs")
        expect(page.locator(".job .wrong")).to_have_text(hostile)
        expect(page.get_by_role("link", name=hostile)).to_be_visible()
        assert page.locator("main img, main b").count() == 0


def test_while_the_service_is_away_the_page_says_so_and_goes_on_when_it_is_back(open_page: Opener) -> None:
    with open_page() as (page, watch):
        watch.expected = ("ERR_FAILED",)
        page.goto("/ui/")
        expect(page.get_by_role("row").filter(has_text="binance")).to_be_visible()
        page.route("**/*", lambda route: route.abort())
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        page.unroute("**/*")
        expect(page.locator("#away")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1024, 1280, 1440])
def test_no_screen_is_wider_than_the_window(open_page: Opener, width: int) -> None:
    with open_page(width=width) as (page, _):
        for path in ("/ui/", "/ui/jobs", "/ui/add", "/ui/import", "/ui/system", "/ui/s/binance/spot/BTCUSDT"):
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
            expect(page.locator("main[aria-busy]")).to_have_count(0)
            wide, room = page.evaluate(
                "((one) => [one.scrollWidth, one.clientWidth])(document.getElementById('main'))"
            )
            assert wide <= room, path
            assert page.evaluate("document.body.scrollWidth") <= width


def test_everything_can_be_reached_by_keys(open_page: Opener) -> None:
    with open_page() as (page, _):
        page.goto("/ui/jobs")
        expect(page.locator("h1")).to_be_visible()
        page.keyboard.press("/")
        page.get_by_role("combobox", name="Go to").fill("btc bingx")
        expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Go to").fill("overview")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/ui/$"))
        page.get_by_role("link", name="BTCUSDT").first.focus()
        page.keyboard.press("ArrowDown")
        focused = page.evaluate("document.activeElement.closest('.row').getAttribute('aria-rowindex')")
        assert focused == "3"
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("from row to row")


def test_of_thousands_of_rows_only_those_in_sight_are_made_and_all_can_be_reached(open_page: Opener) -> None:
    """Told by a route between: it is the page that is tried here."""
    rows = [
        {
            "exchange": "binance",
            "market": "spot",
            "symbol": f"S{number:04d}USDT",
            "first_record": "2025-06-01T00:00:00Z",
            "last_record": "2025-06-03T00:00:00Z",
            "total_records": 2880,
            "missing_records": 0,
            "void_records": 0,
            "bytes_on_disk": 4096,
            **dict.fromkeys(("state", "lag_minutes", "source", "error")),
            "start": 1_748_217_600_000,
            "weeks": "ff",
        }
        for number in range(3000)
    ]
    with open_page() as (page, _):
        page.route("**/api/overview?*", lambda route: route.fulfill(json={"series": rows, "next": None}))
        page.goto("/ui/")
        expect(page.get_by_role("link", name="S0000USDT")).to_be_visible()
        assert page.locator(".row").count() < 60
        page.get_by_role("link", name="S0000USDT").focus()
        page.keyboard.press("End")
        expect(page.get_by_role("link", name="S2999USDT")).to_be_focused()
        expect(page.get_by_role("link", name="S2999USDT")).to_be_in_viewport()
        expect(page.locator(".row").filter(has_text="S2999USDT")).to_have_attribute("aria-rowindex", "3001")
        page.evaluate("document.getElementById('main').scrollTop = 1500 * 34")
        expect(page.get_by_role("link", name="S1500USDT")).to_be_in_viewport()
        assert page.locator(".row").count() < 60
