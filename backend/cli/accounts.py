"""`python -m backend accounts`: add, list, check, freeze, remove, kill; `new-master-key` and `rotate-keys`.

Keys are asked for without echo, so that neither the screen nor the shell's history has them.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from getpass import getpass

from rich.console import Console

from backend.app import open_service
from backend.clock import iso
from backend.errors import InvalidRequest, TradingOff
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.vault import new_master_key
from backend.services.orders.cancelling import Step
from backend.services.service import Service
from backend.settings import Settings
from backend.trading.account import Account, Mode
from backend.trading.account_keys import Keys
from backend.trading.money import exact

COMMANDS = ("accounts", "new-master-key", "rotate-keys")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the commands."""
    actions = commands.add_parser("accounts", help="your accounts at exchanges").add_subparsers(
        dest="action", required=True
    )
    actions.add_parser("list", help="list your accounts")
    adding = actions.add_parser(
        "add", help="add an account; the command asks for its keys, unless it is a paper account"
    )
    adding.add_argument("venue", help="bitget or bingx")
    adding.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.PAPER.value)
    adding.add_argument("--balance", type=_balance, default=Decimal(10_000), help="USDT of a paper account")
    adding.add_argument("--label", default="", help="your name for the account")
    for name, about in (
        ("check", "ask the exchange what its key may do"),
        ("freeze", "stop using its keys"),
        ("unfreeze", "use its keys again"),
        ("remove", "delete the account and its keys"),
    ):
        actions.add_parser(name, help=about).add_argument("id", help="the account's id")
    killing = actions.add_parser("kill", help="turn the account's kill switch, also where no server runs")
    killing.add_argument("id", help="the account's id")
    killing.add_argument("--step", choices=[step.value for step in Step], default=Step.ENTRIES.value)
    commands.add_parser("new-master-key", help="make a key for MASTER_KEYS; it seals the keys of accounts")
    commands.add_parser(
        "rotate-keys", help="seal the keys of accounts again, with the first key of MASTER_KEYS"
    )


async def accounts(settings: Settings, options: argparse.Namespace) -> int:
    """Do what the command says: 0, or 1 where keys could not be sealed anew."""
    say = partial(Console().print, markup=False, highlight=False, soft_wrap=True)
    if options.command == "new-master-key":
        say(new_master_key())
        return 0
    async with open_service(settings, role="command") as service:
        registry = _accounts(service)
        if options.command == "rotate-keys":
            done, failures = await registry.rotate()
            say(f"The keys of {done} accounts are sealed anew.")
            for failure in failures:
                say(f"error: {failure}")
            return 1 if failures else 0
        if options.action == "kill":
            return await _kill(service, options, say)
        for account in await _act(registry, options):
            say(_told(account))
    return 0


async def _act(registry: Accounts, options: argparse.Namespace) -> list[Account]:
    if options.action == "list":
        return await registry.all()
    if options.action == "add" and options.mode == Mode.PAPER:
        return [await registry.add_paper(options.venue, options.label, options.balance)]
    if options.action == "add":
        keys = await asyncio.to_thread(_asked_keys)
        return [await registry.add(options.venue, Mode(options.mode), options.label, keys)]
    if options.action == "check":
        return [await registry.check(options.id)]
    if options.action == "remove":
        return [await registry.remove(options.id)]
    return [await registry.change(options.id, label=None, frozen=options.action == "freeze")]


async def _kill(service: Service, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Turn the kill switch, and tell what is left: 1 if anything is."""
    assert service.trading is not None
    step = Step(options.step)
    done = await service.trading.orders.canceller.kill(options.id, step, caller="command line")
    result = f"orders cancelled: {done.cancelled}, positions closed: {len(done.closed)}"
    say(f"{options.id}: {step.value}; {result}")
    for order in done.open:
        say(f"  still open: {order.symbol} {order.side} {order.order_id}")
    for intent_id in done.undecided:
        say(f"  nobody knows yet if order {intent_id} exists")
    return 1 if done.open or done.undecided else 0


def _accounts(service: Service) -> Accounts:
    if service.trading is None:
        raise TradingOff("accounts are off: set MASTER_KEYS and API_KEYS")
    return service.trading.accounts


def _asked_keys() -> Keys:
    key, secret = getpass("API key: "), getpass("Secret: ")
    try:
        return Keys(key.strip(), secret.strip(), getpass("Passphrase (empty if there is none): ").strip())
    except ValueError as error:
        raise InvalidRequest(str(error)) from None


def _balance(text: str) -> Decimal:
    number = exact(text)
    if number <= 0:
        raise ValueError(text)
    return Decimal(number)


def _told(account: Account) -> str:
    rights = ", ".join(sorted(account.key.rights)) or "nothing"
    state = "frozen, " if account.frozen else ""
    lines = [
        f"{account.id}  {account.venue} {account.mode} {account.flavour}  {account.label}".rstrip(),
        f"  {state}uid {account.uid}, may {rights}, checked {iso(account.checked)}",
    ]
    return "\n".join([*lines, *(f"  {warning}" for warning in account.warnings)])
