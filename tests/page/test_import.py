"""Files of candles dropped on the page."""

from __future__ import annotations

from base64 import b64encode

from playwright.sync_api import expect

from backend.clock import parse_time
from backend.core.windows import MINUTE
from tests.archives import text_of, zipped
from tests.fakes import candle
from tests.integration.processes import RunningService
from tests.page.conftest import Opener

DAY = parse_time("2025-05-20")
WHOLE = [candle(DAY + number * MINUTE) for number in range(1440)]
NAME = "BTCUSDT-1m-2025-05-20"
HOSTILE = "<img src=x onerror=alert(1)>.csv"

DROP = """([files]) => {
    const data = new DataTransfer();
    for (const [name, body] of files) {
        const bytes = Uint8Array.from(atob(body), (one) => one.charCodeAt(0));
        data.items.add(new File([bytes], name));
    }
    window.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


def test_dropped_files_are_taken_one_by_one_and_each_is_told(
    open_page: Opener, service: RunningService
) -> None:
    files = [
        (f"{NAME}.zip", zipped({f"{NAME}.csv": text_of(WHOLE, 1000)})),
        (HOSTILE, text_of(WHOLE[:3])),
        (f"{NAME}.csv", text_of(WHOLE[:10])),
    ]
    with open_page() as (page, watch):
        watch.expected = ("400",)
        page.goto("/ui/import")
        expect(page.locator("main[aria-busy]")).to_have_count(0)
        page.evaluate(DROP, [[(name, b64encode(body).decode()) for name, body in files]])
        cards = page.locator(".cards li")
        expect(cards.nth(0)).to_contain_text("binance spot BTCUSDT: 1,440 new minutes")
        expect(cards.nth(1)).to_contain_text("give the symbol")
        expect(cards.nth(1)).to_contain_text(HOSTILE)
        expect(cards.nth(2)).to_contain_text("10 were held before")
        assert page.locator("main img").count() == 0
        cards.nth(0).get_by_role("link").click()
        expect(page.locator(".facts")).to_contain_text("1,440 minutes held")
    assert service.call("/api/stats/BTCUSDT")[1]["statistics"]["total_records"] == 1440
