"""A bot that hangs up in the middle of a long read ends the reading."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.core.selection import Selection
from backend.core.series import Series
from backend.services.reading.mirror import CandlePage, Mirror
from backend.services.service import Service
from backend.web.routes import make_application

LONG_READS = [
    "/binance/api/v3/klines?symbol=BTCUSDT&interval=1M",
    "/udf/history?symbol=BTCUSDT&resolution=1M&to=1&countback=9",
]


class EndlessMirror:
    """Reads until it is told to stop, and tells when that began and ended."""

    def __init__(self) -> None:
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    def series(self, exchange: str, market: str, symbol: str) -> Series:
        return Series(exchange, market, symbol)

    async def page(self, _series: Series, _wanted: Selection) -> CandlePage:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        return CandlePage()


@pytest.fixture
def mirror() -> EndlessMirror:
    return EndlessMirror()


@pytest.fixture
def app(service: Service, mirror: EndlessMirror) -> Application:
    return make_application(replace(service, reading=replace(service.reading, mirror=cast(Mirror, mirror))))


@pytest.mark.parametrize("path", LONG_READS)
async def test_the_reading_ends_with_its_listener(
    http_server_client: AsyncHTTPServerClient, mirror: EndlessMirror, path: str
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(60):
        await mirror.began.wait()
        writer.close()
        await mirror.ended.wait()
