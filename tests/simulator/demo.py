"""`make demo`: the service against simulated exchanges, as somebody without internet can try it.

Starts the simulator and the service, syncs a week of BTCUSDT from six markets at once with a progress line
each, then reads some of it back over HTTP. Then it adds an account at the simulated Bitget and extracts its
order history, and lets an alarm trade on paper. `--stay` (`make demo STAY=1`) keeps all of it for your own
requests until Ctrl-C. Everything lies in a temporary folder and is gone at the end.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.fernet import Fernet

from tests.simulator.private.running import KEYS

STAY = "--stay"
PATIENCE = 60.0
API_KEY = "dummy-key-of-the-demonstration"
ORDERS = 150
PRODUCTS = ["spot", "perpetual-usdt"]
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
        options = ("--port", "0", "--account", str(ORDERS))
        simulator = stack.enter_context(_process("tests.simulator", *options, stdout=subprocess.PIPE))
        assert simulator.stdout is not None
        exchanges = simulator.stdout.readline().split()[-1]
        print(f"Simulated exchanges answer at {exchanges}")
        port = _free_port()
        settings = {
            **dict.fromkeys(SHARED_URLS, exchanges),
            "EXTENDED_URL": f"{exchanges}/api/v1",
            **dict.fromkeys(("BITGET_LIVE_ACCOUNT_URL", "BINGX_LIVE_ACCOUNT_URL"), exchanges),
            "API_KEYS": f"demo:{API_KEY}:read+write+trade+admin",
            "MASTER_KEYS": Fernet.generate_key().decode(),
            "DATA_DIR": folder,
            "SERVER_PORT": str(port),
            "WEBHOOK_ADDRESSES": "127.0.0.1,::1",
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
        _show_history(service)
        _show_alarm(service)
        if STAY in sys.argv:
            _stay(service)
        return status


def _show_history(service: str) -> None:
    """An account of the simulated Bitget: its history is read whole and proves itself."""
    key, secret, passphrase = KEYS
    keys = {"key": key, "secret": secret, "passphrase": passphrase}
    account = _asked(f"{service}/accounts", {"venue": "bitget", "mode": "live", **keys})["account"]
    print(f"\nThe account {account['id']} of the simulated Bitget: reading its order history ...", flush=True)
    extracted = _asked(f"{service}/extract-orders", {"wait": PATIENCE, "products": PRODUCTS})
    orders, proof = extracted["orders"], extracted["completeness"]["proof"]
    print(
        f"{extracted['count']} orders of {len({order['symbol'] for order in orders})} symbols. The last one:"
    )
    print(json.dumps(orders[-1], indent=2))
    print(f"What was compared: {proof['checked']}. What differs: {proof['differing']}")


def _show_alarm(service: str) -> None:
    """An alarm comes as TradingView sends it, and becomes an order of a paper account."""
    account = _asked(f"{service}/accounts", {"venue": "bingx", "balance": "5000"})["account"]["id"]
    strategy = {"id": "demo", "account": account, "sizing": {"by": "quote", "amount": "100"}}
    token = _asked(f"{service}/strategies", strategy)["token"]
    alarm = {"token": token, "ticker": "BTCUSDT.P", "action": "buy", "position": "long", "position_size": "1"}
    came = _asked(f"{service}/webhook", alarm)["alarm"]
    deadline = time.monotonic() + PATIENCE
    while (told := _asked(f"{service}/alarms/{came}"))["alarm"]["state"] in ("received", "planned"):
        if time.monotonic() > deadline:
            raise SystemExit(f"the alarm was not carried out within {PATIENCE:.0f} s")
        time.sleep(0.2)
    [operation] = told["operations"]
    print(
        f"\nAn alarm bought {operation['filled']} BTC at {operation['average_price']} on paper, "
        f"with {operation['fees'][0]['paid']} {operation['fees'][0]['coin']} of fees."
    )


def _stay(service: str) -> None:
    """Until somebody interrupts."""
    print(f"\n{service} stays until you press Ctrl-C. The key is {API_KEY}", flush=True)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


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
    print(f"\n$ curl -H 'X-Api-Key: {API_KEY}' '{url}'\n{json.dumps(_asked(url), indent=2)}")


def _asked(url: str, body: object = None) -> Any:
    """The answer to a GET, or to a POST with a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"X-Api-Key": API_KEY})
    with urllib.request.urlopen(request, timeout=2 * PATIENCE) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
