"""The command line: `python -m backend serve` and `python -m backend sync BTCUSDT`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from rich.logging import RichHandler

from backend.clock import parse_time
from backend.commands import INTERRUPTED_STATUS, serve, sync
from backend.core.plan import whole_minutes
from backend.core.series import Series
from backend.errors import ConfigurationError, InvalidRequest, MarketDataError
from backend.services.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET
from backend.settings import Settings, load_settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command: 0 for success, 1 for failure, 2 for wrong usage, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        return _serve(settings) if options.command == "serve" else _sync(settings, options)
    except (ConfigurationError, InvalidRequest) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except MarketDataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend", description="Self-hosted one-minute candles.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service")
    syncing = commands.add_parser("sync", help="fetch what is missing of one series")
    syncing.add_argument("symbol", help="for example BTCUSDT")
    syncing.add_argument("--exchange", default=DEFAULT_EXCHANGE)
    syncing.add_argument("--market", default=DEFAULT_MARKET)
    syncing.add_argument("--start", type=_moment, help="first open time: ISO-8601 or ms")
    syncing.add_argument("--end", type=_moment, help="last open time: ISO-8601 or ms")
    return parser


def _serve(settings: Settings) -> int:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return asyncio.run(serve(settings))


def _sync(settings: Settings, options: argparse.Namespace) -> int:
    level = settings.log_level if settings.log_level in ("DEBUG", "ERROR", "CRITICAL") else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", handlers=[RichHandler(show_path=False)])
    series = Series(options.exchange, options.market, options.symbol)
    start = None if options.start is None else whole_minutes(options.start, options.start).start
    end = None if options.end is None else whole_minutes(options.end, options.end).end
    return asyncio.run(sync(settings, series, start, end))


def _moment(text: str) -> int:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
