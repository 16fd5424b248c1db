"""Sessions by way of a proxy, on real proxies and a real exchange of the tests' own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import RawTestServer

from backend.core.proxy import Proxy
from backend.errors import ExchangeUnavailable
from backend.exchanges.binance.market import SPOT
from backend.net.proxies import LONGEST_REASON, Sessions, reaching
from backend.net.rest.requester import open_session
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.telemetry.metrics import Metrics
from tests.proxies import Proxy as RealProxy
from tests.pushing import SOCKET, Ear, PassingClock, native, until

URL = "http://exchange.test:81/candles"
SOCKS = ["socks5", "socks5h"]


async def exchange(request: web.BaseRequest) -> web.StreamResponse:
    """Answers with the path that was asked for, or repeats what is said to its socket."""
    if "Upgrade" not in request.headers:
        return web.Response(text=request.path)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


@asynccontextmanager
async def proxied(*, silent: bool = False) -> AsyncIterator[RealProxy]:
    async with RawTestServer(exchange) as server, RealProxy(server.port or 0, silent=silent) as proxy:
        yield proxy


async def asked(session: ClientSession, proxy: Proxy | None, url: str = URL) -> str:
    with reaching("the exchange", proxy):
        async with session.get(url) as response:
            return await response.text()


async def failure(proxy: Proxy, url: str = URL, timeout: float = 10.0) -> str:
    """What is said when `url` cannot be had by way of `proxy`."""
    async with open_session(timeout, "tests", proxy) as session:
        with pytest.raises(ExchangeUnavailable) as caught:
            await asked(session, proxy, url)
    return str(caught.value)


@pytest.mark.parametrize("scheme", SOCKS)
async def test_a_request_goes_by_a_socks_proxy_which_resolves_the_name(scheme: str) -> None:
    async with proxied() as real:
        proxy = Proxy("PROXY", real.url(scheme))
        async with open_session(10.0, "tests", proxy) as session:
            assert await asked(session, proxy) == "/candles"
            assert await asked(session, proxy) == "/candles"
    assert real.passed == ["exchange.test:81"], "one connection is enough"


@pytest.mark.parametrize("scheme", SOCKS)
async def test_a_socket_goes_by_a_socks_proxy(scheme: str) -> None:
    async with proxied() as real:
        proxy = Proxy("PROXY", real.url(scheme))
        async with (
            open_socket_session("tests", proxy) as session,
            session.ws_connect(URL.replace("http", "ws")) as socket,
        ):
            await socket.send_str("hello")
            assert (await socket.receive()).data == "hello"
    assert real.passed == ["exchange.test:81"]


@pytest.mark.parametrize("scheme", ["http", *SOCKS])
@pytest.mark.parametrize("user", ["", "me:wrong@", "traveller:wrong@"])
async def test_a_refused_password_is_told_with_the_setting_and_not_repeated(scheme: str, user: str) -> None:
    async with proxied() as real:
        said = await failure(Proxy("BITGET_PROXY", real.url(scheme, user)), "https://exchange.test/")
    place = f"BITGET_PROXY ({scheme}://127.0.0.1:{real.port})"
    assert said.startswith(f"the exchange cannot be reached through {place}: ")
    assert "wrong" not in said
    assert (real.passed, real.refused) == ([], 1)


async def test_sockets_are_tried_again_by_a_proxy_that_refuses_and_the_log_names_its_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with proxied() as real:
        proxy = Proxy("BINGX_PROXY", real.url("socks5", "traveller:wrong@"))
        async with open_socket_session("tests", proxy) as session:
            market = replace(SPOT, socket=SOCKET)
            stream = MarketStream(
                exchange="venue",
                market=market,
                base_url="ws://exchange.test",
                session=session,
                native=native,
                clock=PassingClock(),
                metrics=Metrics(),
                proxy=proxy,
            )
            stream.start(Ear())
            stream.want(["A"])
            await until(lambda: real.refused >= 3)
            await stream.stop()
    assert real.passed == []
    assert f"BINGX_PROXY (socks5://127.0.0.1:{real.port})" in caplog.text
    assert "wrong" not in caplog.text


@pytest.mark.parametrize("scheme", ["http", *SOCKS])
async def test_an_exchange_that_the_proxy_cannot_reach_is_told_so(scheme: str) -> None:
    async with proxied() as real:
        real.broken = True
        said = await failure(Proxy("PROXY", real.url(scheme)), "https://exchange.test/")
    assert said.startswith(
        f"the exchange cannot be reached through PROXY ({scheme}://127.0.0.1:{real.port}): "
    )


@pytest.mark.parametrize("scheme", ["http", "https", *SOCKS])
async def test_a_proxy_that_is_not_there_is_told_with_its_setting(scheme: str) -> None:
    said = await failure(Proxy("ALL_PROXY", f"{scheme}://me:wrong@127.0.0.1:9"))
    assert said.startswith(f"the exchange cannot be reached through ALL_PROXY ({scheme}://127.0.0.1:9): ")
    assert "wrong" not in said


@pytest.mark.parametrize("scheme", ["http", "https", *SOCKS])
async def test_a_proxy_that_says_nothing_is_given_up_in_time(scheme: str) -> None:
    async with proxied(silent=True) as real:
        said = await failure(Proxy("PROXY", real.url(scheme)), "https://exchange.test/", timeout=0.2)
    assert said == f"the exchange did not answer in time through PROXY ({scheme}://127.0.0.1:{real.port})"


@pytest.mark.parametrize(
    "answer", [b"\0" * 5000, b"HTTP/1.1 500 " + b"x" * 5000 + b"\r\n\r\n", b"\x05\x02\x01\xff"]
)
@pytest.mark.parametrize("scheme", ["http", *SOCKS])
async def test_a_proxy_that_speaks_garbage_is_told_in_a_sentence(scheme: str, answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        said = await failure(Proxy("PROXY", f"{scheme}://127.0.0.1:{port}"), "https://exchange.test/")
    assert said.startswith("the exchange cannot be reached through PROXY")
    assert len(said) < LONGEST_REASON + 100


async def test_there_is_one_session_for_each_proxy_and_all_are_closed() -> None:
    first, second = Proxy("PROXY", "http://127.0.0.1:1"), Proxy("PROXY", "socks5://127.0.0.1:1")
    async with Sessions(partial(open_session, 10.0, "tests")) as sessions:
        opened = [sessions.by(proxy) for proxy in (None, first, second, first, None)]
        assert len(set(map(id, opened))) == 3
        assert opened[0] is opened[4]
        assert opened[1] is opened[3]
    assert all(session.closed for session in opened)
