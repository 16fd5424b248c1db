"""How many frames can one process' sockets take? `python -m benchmarks.frames`.

A server in a process of its own pushes Binance's frames of 200 symbols as fast as they are taken. What is
counted is what arrives behind the whole way: connection, decoding, tape. The alternative is the least that
anybody could do with a frame: receive it, and `json.loads`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import aiohttp
from aiohttp import web

from backend.clock import Clock, SystemClock
from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.exchanges.binance.market import BINANCE
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.services.following.pushed_candles import LiveCandles
from backend.services.venue_ports import CandleStream
from backend.telemetry.metrics import Metrics
from tests.integration.processes import ROOT

SYMBOLS = [f"C{number}USDT" for number in range(200)]
SECONDS = 10.0
SPOT = BINANCE.markets["spot"]


def frames() -> list[str]:
    """A minute of frames of all symbols."""
    opened = time.time_ns() // 1_000_000 // MINUTE * MINUTE
    return [
        json.dumps(
            {
                "stream": f"{symbol.lower()}@kline_1m",
                "data": {
                    "e": "kline",
                    "E": opened + 1000 * second,
                    "s": symbol,
                    "k": {
                        "t": opened,
                        "T": opened + MINUTE - 1,
                        "s": symbol,
                        "i": "1m",
                        "f": 100,
                        "L": 200,
                        "o": "67540.01000000",
                        "c": f"675{second:02}.00000000",
                        "h": "67599.00000000",
                        "l": "67500.00000000",
                        "v": "12.34500000",
                        "n": 101,
                        "x": False,
                        "q": "833792.88845000",
                        "V": "6.17250000",
                        "Q": "416896.44422500",
                        "B": "0",
                    },
                },
            },
            separators=(",", ":"),
        )
        for second in range(60)
        for symbol in SYMBOLS
    ]


async def _push(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    await socket.receive()
    ready = frames()
    with suppress(ConnectionResetError):
        while not socket.closed:
            for frame in ready:
                await socket.send_str(frame)
    return socket


async def _serve() -> None:
    application = web.Application()
    application.router.add_get("/{path:.*}", _push)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ws://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


@contextmanager
def running_server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.frames", "--serve"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


class CountingLive(LiveCandles):
    """Counts what it is told."""

    def __init__(self, streams: Mapping[tuple[str, str], CandleStream], clock: Clock) -> None:
        super().__init__(streams, clock)
        self.count = 0
        self.begun = asyncio.Event()

    def told(self, series: Series, candle: Candle, *, closed: bool) -> None:
        self.count += 1
        self.begun.set()
        super().told(series, candle, closed=closed)


async def by_the_service(url: str, seconds: float) -> float:
    """Frames a second of processor time that come out behind everything."""
    clock = SystemClock()

    async def native(symbol: str) -> str:
        return symbol

    async with open_socket_session("benchmark") as session:
        stream = MarketStream(
            exchange="binance",
            market=SPOT,
            base_url=url,
            session=session,
            native=native,
            clock=clock,
            metrics=Metrics(),
        )
        live = CountingLive({("binance", "spot"): stream}, clock)
        live.start(lambda _series, _candle: None, lambda _series, _end: None)
        live.keep([Series("binance", "spot", symbol) for symbol in SYMBOLS])
        await live.begun.wait()
        before, began = live.count, time.process_time()
        await asyncio.sleep(seconds)
        rate = (live.count - before) / (time.process_time() - began)
        await live.stop()
    return rate


async def by_hand(url: str, seconds: float) -> float:
    """Frames a second of processor time that are received and read by `json`."""
    count = 0
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(url)
        await socket.send_str("begin")
        began, deadline = time.process_time(), time.monotonic() + seconds
        async for message in socket:
            json.loads(message.data)
            count += 1
            if time.monotonic() > deadline:
                break
        return count / (time.process_time() - began)


def main(seconds: float) -> None:
    with running_server() as url:
        ours = asyncio.run(by_the_service(url, seconds))
        plain = asyncio.run(by_hand(url, seconds))
    print(f"{ours:,.0f} frames a second of one core; received and json.loads alone: {plain:,.0f}", end="")
    print(f" ({ours / plain:.2f} of it)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve())
    else:
        main(options.seconds)
