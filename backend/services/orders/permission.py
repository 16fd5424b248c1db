"""Who may trade with an account: its owner's settings say so."""

from __future__ import annotations

from backend.errors import LiveTradingOff
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.trading.account import Account, Mode


class Permission:
    """`live_allowed` lets live accounts trade."""

    def __init__(self, *, accounts: Accounts, live_allowed: bool) -> None:
        self._accounts = accounts
        self.live_allowed = live_allowed

    async def of(self, account_id: str) -> tuple[Account, AccountSource]:
        """An account that may trade, and the way to its venue. Raises UnknownAccount, AccountFrozen,
        KeysSealed, LiveTradingOff."""
        account, venue = await self._accounts.source(account_id, urgent=True)
        if account.mode is Mode.LIVE and not self.live_allowed:
            raise LiveTradingOff("orders of live accounts are off: set LIVE_TRADING=true, then restart")
        return account, venue
