"""The page in a real browser: `python -m benchmarks.page`.

A service on a real mongod with 5,000 series of a day and an hour each and one series of a year of minutes,
in a headless Chromium without a graphics card. First paint and the time until content is there, on this
machine and with the processor throttled to a quarter; frames while 5,000 rows scroll and while a year is
dragged, beside frames of the same browser with nothing to do; the map of eight years with 20,000 holes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page

from backend.clock import SystemClock
from backend.core.coverage import Coverage, void_before_listing
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import DAY, MINUTE, Window
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database, connect, disconnect
from benchmarks.many import END, Many, candles
from tests.integration.processes import running_service
from tests.page.browser import running_browser
from tests.syncing import save_ledger

YEAR = Series("binance", "spot", "AYEARUSDT")
YEAR_MINUTES = 365 * 1440
WARM_SECONDS = 20
THROTTLED = 4

FRAMES = """async ([scroll, number]) => {
    const main = document.getElementById("main");
    const found = [];
    let last = await new Promise(requestAnimationFrame);
    for (let frame = 0; frame < number; frame += 1) {
        if (scroll) main.scrollTop += scroll;
        const now = await new Promise(requestAnimationFrame);
        found.push(now - last);
        last = now;
    }
    return found;
}"""

PAINTS = """() => {
    const entries = performance.getEntriesByType("paint");
    return entries.find((one) => one.name === "first-contentful-paint")?.startTime ?? 0;
}"""

SHIFTS = """() => new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(0), 300);
})"""

NOTE_FRAMES = """() => {
    window.noted = [];
    const note = (now) => { window.noted.push(now); requestAnimationFrame(note); };
    requestAnimationFrame(note);
}"""

MAP = """async (columns) => {
    const files = document.querySelector("script[type=module]").src.replace("app.js", "");
    const { daysMap } = await import(`${files}days_map.js`);
    const map = daysMap({ signal: new AbortController().signal, chosen: () => {} });
    document.getElementById("main").append(map.element);
    map.show(columns, "BTCUSDT");
    const times = [];
    for (let round = 0; round < 20; round += 1) {
        const began = performance.now();
        map.choose(columns.open_time[round]);
        times.push(performance.now() - began);
    }
    return times.sort((a, b) => a - b)[10];
}"""


async def store(uri: str, number: int) -> None:
    database = connect(uri, "page", 60)
    await Many(database, [Series("binance", "spot", f"S{each:05d}USDT") for each in range(number)]).store()
    await store_year(database)
    await disconnect(database)


async def store_year(database: Database) -> None:
    held = MongoCandles(database, MongoRevisions(database, SystemClock()))
    start = END - YEAR_MINUTES * MINUTE
    await held.create(YEAR)
    for first in range(start, END, 50_000 * MINUTE):
        await held.write(YEAR, candles(first, min(50_000, (END - first) // MINUTE)))
    known = Coverage(start, Minutes.of((Window(start, END),)), (void_before_listing(start, END),), END)
    await save_ledger(MongoCoverage(database), YEAR, known)


def opened(browser: Browser, base: str, throttled: int = 1) -> Page:
    page = browser.new_context(base_url=base, viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    if throttled > 1:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": throttled})
    return page


def first_look(
    browser: Browser, base: str, path: str, wanted: str, throttled: int
) -> tuple[float, float, float]:
    """Milliseconds until something is painted and until `wanted` is there; how much the layout shifted."""
    page = opened(browser, base, throttled)
    began = time.perf_counter()
    page.goto(path, wait_until="commit")
    page.locator(wanted).first.wait_for()
    took = (time.perf_counter() - began) * 1000
    page.wait_for_timeout(1000)
    found = float(page.evaluate(PAINTS)), took, float(page.evaluate(SHIFTS))
    page.context.close()
    return found


def show_times(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    middle, late = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
    print(f"{name:26} frame p50 {middle:5.1f} ms, p95 {late:5.1f} ms", flush=True)


def show_first_looks(browser: Browser, base: str, number: int) -> None:
    looks = {
        f"overview of {number:,}": ("/ui/", ".row:not(.group) a"),
        "series, a year, hours": ("/ui/s/binance/spot/AYEARUSDT", ".legend b"),
        "series, a year, minutes": ("/ui/s/binance/spot/AYEARUSDT?i=1m", ".legend b"),
    }
    for throttled in (1, THROTTLED):
        for name, (path, wanted) in looks.items():
            paint, content, shift = first_look(browser, base, path, wanted, throttled)
            print(
                f"{name:26} processor 1/{throttled}: first paint {paint:5.0f} ms, content {content:5.0f} ms, "
                f"layout shift {shift:.3f}",
                flush=True,
            )


def show_frames(browser: Browser, base: str) -> None:
    page = opened(browser, base)
    page.goto("/ui/")
    page.locator(".row a").first.wait_for()
    for name, scroll in (("nothing", 0), ("5,000 rows scrolled", 120), ("the same, ten rows a frame", 340)):
        page.evaluate("document.getElementById('main').scrollTop = 0")
        times = page.evaluate(FRAMES, [scroll, 300])
        show_times(name, times)
    page.goto("/ui/s/binance/spot/AYEARUSDT?i=1m")
    page.locator(".legend b").first.wait_for()
    box = page.locator(".chart").bounding_box()
    assert box is not None
    page.evaluate(NOTE_FRAMES)
    for _ in range(12):
        page.mouse.move(box["x"] + 200, box["y"] + 150)
        page.mouse.down()
        for step in range(60):
            page.mouse.move(box["x"] + 200 + step * 12, box["y"] + 150)
        page.mouse.up()
    moments = page.evaluate("noted")
    times = [after - before for before, after in pairwise(moments)]
    show_times("a year of minutes dragged", times)
    page.context.close()


def eight_years(holes: int) -> dict[str, Any]:
    """A map's columns with so many minutes missing."""
    chance, days = Random(1), 8 * 365
    columns: dict[str, Any] = {name: [0] * days for name in ("missing", "gone", "before")}
    for _ in range(holes):
        columns["missing"][chance.randrange(days)] += 1
    columns["held"] = [1440 - missing for missing in columns["missing"]]
    return columns | {"open_time": [1_514_764_800_000 + day * DAY for day in range(days)]}


def show_map(browser: Browser, base: str) -> None:
    page = opened(browser, base)
    page.goto("/ui/jobs")
    page.locator("h1").wait_for()
    took = page.evaluate(MAP, json.loads(json.dumps(eight_years(20_000))))
    print(f"{'map of eight years':26} {took:5.1f} ms with 20,000 holes", flush=True)
    page.context.close()


def main(number: int) -> None:
    nowhere = {f"{name}_URL": "http://127.0.0.1:9" for name in ("BINANCE_SPOT", "BITGET", "BINGX")}
    with TemporaryDirectory(prefix="benchmark-") as folder:
        mongod = EmbeddedMongod(Path(folder))
        uri = mongod.start()
        try:
            asyncio.run(store(uri, number))
            settings = {"MONGODB_URI": uri, "MONGODB_DATABASE": "page", "LOG_LEVEL": "ERROR", **nowhere}
            with running_service(Path(folder) / "log", **settings) as service, running_browser() as browser:
                base = f"http://127.0.0.1:{service.port}"
                time.sleep(WARM_SECONDS)
                show_first_looks(browser, base, number)
                show_frames(browser, base)
                show_map(browser, base)
        finally:
            mongod.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=5_000)
    main(parser.parse_args().series)
