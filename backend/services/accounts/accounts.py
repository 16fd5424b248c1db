"""Adds, lists, changes and removes accounts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from backend.clock import Clock
from backend.errors import (
    AccountExists,
    AccountFrozen,
    InvalidRequest,
    KeyMayWithdraw,
    KeysSealed,
    UnknownAccount,
)
from backend.services.accounts.ports import AccountSource, AccountStore, AccountVenues
from backend.services.accounts.vault import Vault
from backend.services.paper.paper_accounts import PaperAccounts
from backend.services.paper.paper_source import FLAVOUR, KEY
from backend.trading.account import Account, Mode, Sealed, may_withdraw
from backend.trading.account_keys import Keys
from backend.trading.history import Kind, Offer
from backend.trading.risk import Limits
from backend.trading.rows import Product

log = logging.getLogger(__name__)

NO_KEYS = Sealed("", "")
"""A paper account has none."""


class Accounts:
    """All may raise DatabaseUnavailable. `withdraw_allowed` lets keys in that may withdraw."""

    def __init__(
        self,
        *,
        store: AccountStore,
        venues: AccountVenues,
        vault: Vault,
        paper: PaperAccounts,
        clock: Clock,
        withdraw_allowed: bool,
    ) -> None:
        self._store = store
        self._venues = venues
        self._vault = vault
        self._paper = paper
        self._clock = clock
        self._withdraw_allowed = withdraw_allowed

    async def add(self, venue: str, mode: Mode, label: str, keys: Keys) -> Account:
        """Ask the venue what the keys may do, seal them, and store the account.

        Raises KeyMayWithdraw, AccountExists, and the error of a refusal.
        """
        account_id = uuid4().hex[:16]
        try:
            said = await self._venues.stranger(account_id, venue, mode, keys).identity()
        except BaseException:
            self._venues.forget(account_id, venue, mode)
            raise
        if may_withdraw(said.key) and not self._withdraw_allowed:
            self._venues.forget(account_id, venue, mode)
            raise KeyMayWithdraw(
                f"this key may withdraw: make one without that right at {venue}, or set ALLOW_WITHDRAW_KEYS"
            )
        now = self._clock.now()
        account = Account(
            id=account_id,
            venue=venue,
            mode=mode,
            label=label,
            flavour=said.flavour,
            uid=said.uid,
            key=said.key,
            created=now,
            checked=now,
        )
        if not await self._store.add(account, self._vault.seal(account.id, venue, keys)):
            self._venues.forget(account_id, venue, mode)
            raise AccountExists(f"this {mode} account at {venue} exists already: remove it first")
        log.info("account %s at %s (%s) is added", account.id, venue, mode)
        for warning in account.warnings:
            log.warning("account %s at %s: %s", account.id, venue, warning)
        return account

    async def add_paper(
        self,
        venue: str,
        label: str,
        balance: Decimal,
        *,
        maker: Decimal | None = None,
        taker: Decimal | None = None,
    ) -> Account:
        """A new account of play money: `balance` dollars in each wallet, at the prices of a venue. Fees are
        as for `PaperAccounts.open`. Raises InvalidRequest for an unknown venue."""
        account_id, now = uuid4().hex[:16], self._clock.now()
        await self._paper.open(account_id, venue, balance, maker=maker, taker=taker)
        account = Account(
            id=account_id,
            venue=venue,
            mode=Mode.PAPER,
            label=label,
            flavour=FLAVOUR,
            uid=account_id,
            key=KEY,
            created=now,
            checked=now,
        )
        await self._store.add(account, NO_KEYS)
        log.info("paper account %s at the prices of %s is added", account.id, venue)
        return account

    async def all(self) -> list[Account]:
        """Every account, oldest first."""
        return await self._store.all()

    async def get(self, account_id: str) -> Account:
        """Raises UnknownAccount."""
        account, _ = await self._loaded(account_id)
        return account

    async def only_at(self, venue: str) -> str:
        """The id of the only account at a venue. Raises InvalidRequest where there is none, or more than
        one."""
        ids = [one.id for one in await self._store.all() if one.venue == venue]
        if len(ids) != 1:
            raise InvalidRequest(
                f"choose an account with `account`: there are {len(ids)} at {venue}", code="missing_account"
            )
        return ids[0]

    async def check(self, account_id: str) -> Account:
        """Ask the venue again what the keys may do. Returns the account."""
        account, source = await self.source(account_id)
        said, now = await source.identity(), self._clock.now()
        await self._store.checked(account_id, said, now)
        return replace(account, flavour=said.flavour, key=said.key, checked=now)

    async def change(
        self, account_id: str, *, label: str | None, frozen: bool | None, limits: Limits | None = None
    ) -> Account:
        """Change what is given. Raises UnknownAccount."""
        if not await self._store.change(account_id, label=label, frozen=frozen, limits=limits):
            raise _unknown()
        if frozen is not None:
            log.warning("account %s: %s", account_id, "frozen" if frozen else "no longer frozen")
        return await self.get(account_id)

    async def remove(self, account_id: str) -> Account:
        """Remove an account and its keys. Its stored history stays. Raises UnknownAccount."""
        account = await self.get(account_id)
        await self._store.remove(account_id)
        if account.mode is Mode.PAPER:
            await self._paper.remove(account_id)
        else:
            self._venues.forget(account_id, account.venue, account.mode)
        log.warning("account %s at %s was removed with its keys", account_id, account.venue)
        return account

    async def source(self, account_id: str, *, urgent: bool = False) -> tuple[Account, AccountSource]:
        """An account, and the way to ask its venue, which holds its keys: to be used and forgotten. `urgent`
        questions go before others that wait for the venue's budget.

        Raises UnknownAccount, AccountFrozen, KeysSealed.
        """
        account, sealed = await self._loaded(account_id)
        if account.frozen:
            raise AccountFrozen(
                f"account {account_id} is frozen: the service does not use its keys until you unfreeze it"
            )
        if account.mode is Mode.PAPER:
            return account, self._paper.client(account)
        keys = self._vault.open(account.id, account.venue, sealed)
        return account, self._venues.client(account, keys, urgent=urgent)

    def began(self, account: Account) -> int:
        """The first moment (ms) at which the account can have traded."""
        if account.mode is Mode.PAPER:
            return account.created
        return account.key.registered or self._venues.began(account.venue)

    def products(self, account: Account) -> tuple[Product, ...]:
        """What an account may hold money in."""
        if account.mode is Mode.PAPER:
            return self._paper.client(account).products
        return self._venues.products(account)

    def offer(self, account: Account, kind: Kind, product: Product) -> Offer | None:
        """How its venue offers a history; None if it does not."""
        if account.mode is Mode.PAPER:
            return self._paper.client(account).offer(kind, product)
        return self._venues.offer(account, kind, product)

    async def rotate(self) -> tuple[int, Sequence[str]]:
        """Seal all keys anew with the newest master key: how many were, and what kept others from it."""
        done, failures = 0, []
        for account in await self._store.all():
            loaded = await self._store.load(account.id)
            if loaded is None or account.mode is Mode.PAPER or self._vault.is_newest(loaded[1]):
                continue
            try:
                keys = self._vault.open(account.id, account.venue, loaded[1])
            except KeysSealed as error:
                failures.append(str(error))
                continue
            done += await self._store.reseal(
                account.id, loaded[1], self._vault.seal(account.id, account.venue, keys)
            )
        return done, failures

    async def _loaded(self, account_id: str) -> tuple[Account, Sealed]:
        if loaded := await self._store.load(account_id):
            return loaded
        raise _unknown()


def _unknown() -> UnknownAccount:
    return UnknownAccount("there is no such account: ask for the list of accounts")
