"""The page's files over HTTP: their addresses, what browsers may do with them, and their size."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access
from backend.services.service import Service
from backend.web.page.assets import CHART, SITE, assets
from backend.web.page.chart_library import chart_library, is_known
from backend.web.routes import make_application

BASE = "/of/candles"
LARGEST = 200_000


@pytest.fixture
def app(service: Service) -> Application:
    """Below a path, with keys: the page itself needs none."""
    access = Access(keys=read_keys("bot:reader-0123456789:read"))
    return make_application(service, access=access, base_path=BASE)


async def shell(client: AsyncHTTPServerClient, path: str = "/ui/") -> str:
    text: str = (await client.fetch(BASE + path)).body.decode()
    return text


ADDRESSES = ["/", "/ui", "/ui/", "/ui/jobs", "/ui/s/binance/spot/BTCUSDT?i=1h", "/ui/%3Cb%3E"]


@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_address_is_the_same_shell_under_a_strict_policy(
    http_server_client: AsyncHTTPServerClient, path: str
) -> None:
    answer = await http_server_client.fetch(BASE + path)
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert answer.body.decode() == await shell(http_server_client)


async def test_the_shell_asks_for_files_by_their_hash_and_for_nothing_else(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    text = await shell(http_server_client)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(addresses) > 10
    for address in addresses:
        assert address.startswith(f"{BASE}/ui/files/{assets().mark}/")
        answer = await http_server_client.fetch(
            address, headers={"Accept-Encoding": "gzip"}, decompress_response=False
        )
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        plain = await http_server_client.fetch(address)
        assert gzip.decompress(answer.body) == plain.body == (SITE / address.rpartition("/")[2]).read_bytes()
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", text)


@pytest.mark.parametrize("name", ["nothing.js", "../handlers.py", "index.html", "..%2Fhandlers.py", ""])
async def test_there_are_no_other_files(http_server_client: AsyncHTTPServerClient, name: str) -> None:
    path = f"{BASE}/ui/files/{assets().mark}/{name}"
    assert (await http_server_client.fetch(path, raise_error=False)).code == 404


async def test_a_file_of_another_version_is_not_there(http_server_client: AsyncHTTPServerClient) -> None:
    path = f"{BASE}/ui/files/0123456789abcdef/app.js"
    answer = await http_server_client.fetch(path, raise_error=False)
    assert (answer.code, answer.headers["Cache-Control"]) == (404, "no-store")


def test_the_page_with_its_chart_is_small() -> None:
    sizes = {name: len(asset.compressed) for name, asset in assets().files.items()}
    assert CHART in sizes
    assert sum(sizes.values()) < LARGEST, sizes


def test_the_chart_library_is_byte_for_byte_the_one_we_know() -> None:
    library = chart_library()
    assert library is not None
    assert is_known(library)
    assert not is_known(library + b" ")


@pytest.mark.parametrize("path", sorted(SITE.glob("*.js")), ids=lambda path: path.name)
def test_no_module_makes_markup_of_text(path: Path) -> None:
    text = path.read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in text
