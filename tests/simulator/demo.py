"""`make demo`: the service against simulated exchanges, as somebody without internet can try it.

Starts the simulator and the service, syncs a week of BTCUSDT from six markets at once with a progress line
each, then reads some of it back over HTTP. Everything lies in a temporary folder and is gone at the end.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

PATIENCE = 60.0
SHARED_URLS = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BITGET_URL", "BINGX_URL")
MARKETS = [
    f"{exchange}:{market}:BTCUSDT"
    for exchange in ("binance", "bitget", "bingx")
    for market in ("spot", "perpetual")
]


def main() -> int:
    """Run the demonstration; the exit status is the sync's."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="market-data-demo-"))
        simulator = stack.enter_context(_process("tests.simulator", "--port", "0", stdout=subprocess.PIPE))
        assert simulator.stdout is not None
        exchanges = simulator.stdout.readline().split()[-1]
        print(f"Simulated exchanges answer at {exchanges}")
        port = _free_port()
        settings = {
            **dict.fromkeys(SHARED_URLS, exchanges),
            "EXTENDED_URL": f"{exchanges}/api/v1",
            "DATA_DIR": folder,
            "SERVER_PORT": str(port),
            "LOG_LEVEL": "ERROR",
            "MONGODB_URI": "",
            "MONGODB_HOST": "",
        }
        stack.enter_context(_process("backend", "serve", settings=settings))
        service = f"http://localhost:{port}"
        _wait_for(f"{service}/health")
        print(f"The service and its embedded MongoDB answer at {service}")
        week_ago = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=7)
        arguments = ["sync", *MARKETS, "--start", week_ago.isoformat()]
        print(f"\n$ python -m backend {' '.join(arguments)}")
        with _process("backend", *arguments, settings=settings) as sync:
            status = sync.wait()
        for path in (
            "/api/stats/BTCUSDT",
            "/api/data/BTCUSDT?limit=2",
            "/api/data/BTCUSDT?exchange=bingx&market=perpetual&limit=1",
        ):
            _show(f"{service}{path}")
        return status


@contextmanager
def _process(
    module: str, *arguments: str, settings: Mapping[str, str] | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A Python module as a process that is stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **(settings or {})},
        stdout=stdout,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within {PATIENCE:.0f} s")


def _show(url: str) -> None:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        print(f"\n$ curl '{url}'\n{json.dumps(json.load(answer), indent=2)}")


if __name__ == "__main__":
    sys.exit(main())
