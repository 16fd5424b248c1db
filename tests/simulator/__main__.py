"""`python -m tests.simulator`: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.simulator.clock import SimulatorClock
from tests.simulator.csvfile import market_of_file
from tests.simulator.faults import Faults
from tests.simulator.markets import KINDS
from tests.simulator.private.accounts import Account
from tests.simulator.private.book import Facts
from tests.simulator.private.generator import generated
from tests.simulator.private.running import KEYS
from tests.simulator.server import Simulator
from tests.simulator.times import DAY, MINUTE, parse_instant, parse_window

DAYS, SYMBOLS = 30, 2
"""How long the account has traded, and how many symbols of each product."""


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    flags = argparse.ArgumentParser(
        prog="python -m tests.simulator", description="Local stand-in of exchanges."
    )
    flags.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    flags.add_argument("--port", type=int, default=0, help="port to listen on, 0 for a free one (default)")
    flags.add_argument(
        "--now", type=parse_instant, metavar="ISO", help="start the clock at an instant (ISO or ms)"
    )
    flags.add_argument("--frozen", action="store_true", help="let the clock stand still")
    flags.add_argument(
        "--csv", type=Path, metavar="FILE", help="serve real candles of one symbol from a file"
    )
    flags.add_argument("--symbol", help="symbol of the file, where its name does not tell")
    flags.add_argument(
        "--kind", choices=KINDS, default="spot", help="market kind of the file (default %(default)s)"
    )
    limits = flags.add_mutually_exclusive_group()
    limits.add_argument(
        "--weight-limit",
        type=int,
        default=6000,
        help="weight per minute on Binance spot (default %(default)s)",
    )
    limits.add_argument("--no-limit", action="store_true", help="let no exchange refuse for its rate limits")
    flags.add_argument("--page-cap", type=int, help="rows in a page at most, below the documented 1000")
    flags.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    flags.add_argument("--jitter", type=float, default=0.0, help="up to so many seconds more")
    for kind in ("error", "reset", "hang", "garbage"):
        flags.add_argument(f"--{kind}-rate", type=float, default=0.0, help="probability per request (0 to 1)")
    flags.add_argument("--hang-seconds", type=float, help="end of a hanging answer (default: until released)")
    for name, text in (("outage", "no candles exist"), ("failing", "candles always answer 500")):
        help_text = f"window where {text}; may be repeated"
        flags.add_argument(
            f"--{name}", type=parse_window, action="append", default=[], metavar="START/END", help=help_text
        )
    flags.add_argument(
        "--account", type=int, default=0, metavar="ORDERS", help="tell of an account with so many orders too"
    )
    flags.add_argument("--seed", type=int, default=0, help="seed of the random faults (default 0)")
    return flags


def simulator_of(options: argparse.Namespace) -> Simulator:
    """Return the simulator that the options describe."""
    market = market_of_file(options.csv, options.symbol, options.kind) if options.csv else None
    now = options.now
    if now is None and market is not None and market.delisted is not None:
        now = market.delisted
    return Simulator(
        markets=[market] if market else None,
        clock=SimulatorClock(now, frozen=options.frozen),
        faults=_faults(options),
        limits=not options.no_limit,
        weight_limit=options.weight_limit,
        accounts=_accounts(options),
    )


def _accounts(options: argparse.Namespace) -> dict[str, Account]:
    """The account with the keys `running.KEYS`, whose last order ended ten minutes ago; or none."""
    if not options.account:
        return {}
    now = (options.now or SimulatorClock().now()) - 10 * MINUTE
    facts = Facts(unified=False, registered=now - (DAYS + 1) * DAY)
    book = generated(
        seed=options.seed, orders=options.account, days=DAYS, now=now, symbols=SYMBOLS, facts=facts
    )
    return {KEYS.key: Account(KEYS, book)}


def _faults(options: argparse.Namespace) -> Faults:
    faults = Faults(
        latency=options.latency,
        jitter=options.jitter,
        page_cap=options.page_cap,
        error_rate=options.error_rate,
        reset_rate=options.reset_rate,
        hang_rate=options.hang_rate,
        hang_seconds=options.hang_seconds,
        garbage_rate=options.garbage_rate,
        failing=options.failing,
        outages=options.outage,
    )
    faults.reseed(options.seed)
    return faults


async def serve(simulator: Simulator, host: str, port: int) -> None:
    """Run the simulator until a signal asks it to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await simulator.start(port=port, host=host)
    print(f"simulator listening at {simulator.url}", flush=True)
    await stopped.wait()
    await simulator.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, serve, and return the exit code."""
    flags = parser()
    options = flags.parse_args(arguments)
    try:
        simulator = simulator_of(options)
    except (OSError, ValueError) as error:
        flags.error(str(error))
    asyncio.run(serve(simulator, options.host, options.port))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
