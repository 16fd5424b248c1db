"""The command line: `python -m backend serve`, `sync BTCUSDT`, `follow BTCUSDT`, `verify BTCUSDT` ..."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from rich.logging import RichHandler

from backend.cli.accounts import COMMANDS as ACCOUNT_COMMANDS
from backend.cli.accounts import accounts
from backend.cli.accounts import add_to as add_accounts_to
from backend.cli.commands import INTERRUPTED_STATUS, serve, sync, verify
from backend.cli.delete import add_to as add_delete_to
from backend.cli.delete import delete
from backend.cli.export import add_to as add_export_to
from backend.cli.export import export
from backend.cli.follow import add_to as add_follow_to
from backend.cli.follow import follow, unfollow
from backend.cli.import_files import add_to as add_import_to
from backend.cli.import_files import import_files
from backend.clock import parse_time
from backend.core.plan import whole_minutes
from backend.core.series import Series
from backend.errors import ConfigurationError, InvalidRequest, MarketDataError
from backend.services.syncing.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET
from backend.settings import Settings, load_settings
from backend.telemetry.logs import MaskedFormatter, configure
from backend.telemetry.masking import masker


def main(arguments: list[str] | None = None) -> int:
    """Run one command: 0 for success, 1 for failure, 2 for wrong usage, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        return _serve(settings) if options.command == "serve" else _work(settings, options)
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
    syncing = commands.add_parser("sync", help="fetch missing minutes of series, several series at once")
    verifying = commands.add_parser(
        "verify", help="compare stored candles with the ledger and correct the ledger"
    )
    for command in (syncing, verifying):
        _add_series_arguments(command)
    syncing.add_argument("--start", type=_moment, help="first open time: ISO-8601 or ms")
    syncing.add_argument("--end", type=_moment, help="last open time: ISO-8601 or ms")
    following, unfollowing = add_follow_to(commands, _moment)
    _add_series_arguments(following, nargs="*")
    _add_series_arguments(unfollowing)
    add_import_to(commands)
    _add_series_arguments(add_export_to(commands, _moment), nargs=1)
    _add_series_arguments(add_delete_to(commands, _moment))
    add_accounts_to(commands)
    return parser


def _add_series_arguments(command: argparse.ArgumentParser, nargs: int | str = "+") -> None:
    command.add_argument(
        "symbols",
        nargs=nargs,
        metavar="symbol",
        help="BTCUSDT, or with exchange and market: bitget:perpetual:BTCUSDT",
    )
    command.add_argument(
        "--exchange", default=DEFAULT_EXCHANGE, help="for symbols without an exchange or market"
    )
    command.add_argument("--market", default=DEFAULT_MARKET, help="for symbols without an exchange or market")


def _serve(settings: Settings) -> int:
    configure(settings.log_level, settings.log_format, settings.secrets)
    return asyncio.run(serve(settings))


def _work(settings: Settings, options: argparse.Namespace) -> int:
    level = settings.log_level if settings.log_level in ("DEBUG", "ERROR", "CRITICAL") else logging.WARNING
    lines = RichHandler(show_path=False)
    lines.setFormatter(MaskedFormatter(masker(settings.secrets)))
    logging.basicConfig(level=level, handlers=[lines])
    if options.command in ACCOUNT_COMMANDS:
        return asyncio.run(accounts(settings, options))
    if options.command == "import":
        return asyncio.run(import_files(settings, options))
    wanted = [_series(text, options.exchange, options.market) for text in options.symbols]
    if options.command == "export":
        return asyncio.run(export(settings, wanted[0], options))
    if options.command == "verify":
        return asyncio.run(verify(settings, wanted))
    if options.command == "follow":
        return asyncio.run(follow(settings, wanted, _first_minute(options.since)))
    if options.command == "unfollow":
        return asyncio.run(unfollow(settings, wanted))
    start = _first_minute(options.start)
    end = None if options.end is None else whole_minutes(options.end, options.end).end
    if options.command == "delete":
        return asyncio.run(delete(settings, wanted, start, end, options))
    return asyncio.run(sync(settings, wanted, start, end))


def _first_minute(moment: int | None) -> int | None:
    """The first whole minute at or after `moment`."""
    return None if moment is None else whole_minutes(moment, moment).start


def _series(text: str, exchange: str, market: str) -> Series:
    """Read exchange:market:symbol, or a symbol alone ("BTC/USDT:USDT" is one)."""
    parts = text.split(":", 2)
    return Series(*parts) if len(parts) == 3 else Series(exchange, market, text)


def _moment(text: str) -> int:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
