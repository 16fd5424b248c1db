"""Three languages that say the same, and room for words that are longer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from backend.web.page.assets import SITE
from tests.integration.processes import RunningService
from tests.page.conftest import Opener

SCREENS = ("/ui/", "/ui/jobs", "/ui/add", "/ui/import", "/ui/system", "/ui/s/binance/spot/BTCUSDT")
ALL = """async () => {
    const place = document.querySelector("script[type=module]").src;
    return (await import(place.replace("app.js", "words.js"))).LANGUAGES;
}"""


@pytest.fixture(scope="module", autouse=True)
def stored(service: RunningService) -> None:
    assert service.call("/api/sync", {"symbol": "BTCUSDT", "start_time": "2025-06-02"})[0] == 200


def placeholders(message: Any) -> set[str]:
    texts = message.values() if isinstance(message, dict) else [message]
    return {name for text in texts for name in re.findall(r"\{([a-z]+)\}", text)}


def shown(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("main[aria-busy]")).to_have_count(0)


def test_every_language_has_every_message_with_the_same_placeholders(open_page: Opener) -> None:
    with open_page() as (page, _):
        page.goto("/ui/")
        languages = page.evaluate(ALL)
        english = languages.pop("en")
        assert set(languages) == {"es", "ko"}
        for name, messages in languages.items():
            assert set(messages) == set(english), name
            for key, message in messages.items():
                assert placeholders(message) == placeholders(english[key]), (name, key)
                plural = isinstance(english[key], dict)
                assert isinstance(message, dict) == plural, (name, key)
                if plural:
                    assert set(message) == ({"other"} if name == "ko" else {"one", "other"}), (name, key)


def names_used() -> Iterator[str]:
    for path in SITE.glob("*.js"):
        if not path.name.startswith("words"):
            yield from re.findall(r'\bt\("([a-z.]+)"', path.read_text())


def test_every_message_that_modules_name_is_there(open_page: Opener) -> None:
    with open_page() as (page, _):
        page.goto("/ui/")
        english = page.evaluate(ALL)["en"]
        assert len(list(names_used())) > 100
        assert sorted(set(names_used()) - set(english)) == []


@pytest.mark.parametrize(
    ("locale", "title"),
    [("es-MX", "Resumen"), ("ko-KR", "개요"), ("en-GB", "Overview"), ("fr-FR", "Overview")],
)
def test_the_language_is_the_browsers(open_page: Opener, locale: str, title: str) -> None:
    with open_page(locale=locale) as (page, _):
        shown(page, "/ui/")
        expect(page.locator("h1")).to_have_text(title)
        expect(page.locator("html")).to_have_attribute(
            "lang", {"es-MX": "es", "ko-KR": "ko"}.get(locale, "en")
        )


def test_the_language_is_switched_and_kept(open_page: Opener) -> None:
    with open_page() as (page, _):
        shown(page, "/ui/system")
        page.get_by_label("Language").select_option("ko")
        expect(page.locator("h1")).to_have_text("시스템")
        shown(page, "/ui/")
        expect(page.locator("h1")).to_have_text("개요")


def longer(route: Route) -> None:
    """English with every message 40 % longer, as other languages are."""
    text = (SITE / "words_en.js").read_text()
    text = re.sub(r'(: )"((?:[^"\\]|\\.)*)"', lambda one: f'{one[1]}"{pad(one[2])}"', text)
    route.fulfill(body=text, content_type="text/javascript")


def pad(text: str) -> str:
    return text + " " + "wxyz "[: max(1, len(text) * 2 // 5)] * (1 + len(text) // 12)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("locale", ["en-US", "es-ES", "ko-KR"])
def test_longer_words_make_no_screen_wider(open_page: Opener, locale: str, width: int) -> None:
    with open_page(locale=locale, width=width) as (page, _):
        page.route("**/words_en.js", longer)
        for path in SCREENS:
            shown(page, path)
            wide, room = page.evaluate(
                "((one) => [one.scrollWidth, one.clientWidth])(document.getElementById('main'))"
            )
            assert wide <= room, path
            cut = page.evaluate(
                "[...document.querySelectorAll('button, .rail-item, h1, label')]"
                ".filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1)"
                ".map((one) => one.textContent)"
            )
            assert cut == [], path
