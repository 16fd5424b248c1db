"""How a symbol of an account is set: leverage, margin mode, position mode.

To set the same twice does no harm, so a change needs no intent: it is sent once, and what the exchange tells
afterwards proves it, whatever the answer was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backend.errors import ExchangeError, ExchangeRefused, KeysRefused, RiskRefused
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.services.orders.permission import Permission
from backend.services.orders.settling import Settler
from backend.trading.rows import Held, Product, Setup
from backend.trading.tickets import MarginMode


class Setups:
    """All may raise UnknownAccount, AccountFrozen, KeysSealed, ExchangeError, LiveTradingOff, and
    DatabaseUnavailable. Symbols are in the venue's spelling."""

    def __init__(self, *, accounts: Accounts, permission: Permission, settler: Settler) -> None:
        self._accounts = accounts
        self._permission = permission
        self._settler = settler

    async def read(self, account_id: str, product: Product, symbol: str) -> Setup:
        """How a symbol is set now."""
        _, venue = await self._accounts.source(account_id, urgent=True)
        return await venue.setup(product, symbol)

    async def leverage(
        self, account_id: str, product: Product, symbol: str, held: Held, leverage: int, *, caller: str
    ) -> Setup:
        """Set the leverage of a symbol, `net` for both sides. Raises RiskRefused above the limit."""
        account, venue = await self._permission.of(account_id)
        most = account.limits.max_leverage
        if most is not None and leverage > most:
            raise RiskRefused(f"the account's limit is leverage {most}")
        sides: tuple[Held, ...] = (held,)
        if held == "net" and (await venue.setup(product, symbol)).hedged:
            sides = ("long", "short")

        async def send() -> None:
            for side in sides:
                await venue.set_leverage(product, symbol, side, leverage)

        def is_set(setup: Setup) -> bool:
            told = {"long": (setup.long,), "short": (setup.short,), "net": (setup.long, setup.short)}[held]
            return all(one == leverage for one in told)

        said = f"{symbol}: leverage {leverage}, {held}"
        return await self._changed(account_id, venue, product, symbol, send, is_set, caller, said)

    async def margin_mode(
        self, account_id: str, product: Product, symbol: str, mode: MarginMode, *, caller: str
    ) -> Setup:
        """Set the margin mode of a symbol."""
        _, venue = await self._permission.of(account_id)
        return await self._changed(
            *(account_id, venue, product, symbol),
            lambda: venue.set_margin_mode(product, symbol, mode),
            lambda setup: setup.margin_mode == mode,
            caller,
            f"{symbol}: {mode} margin",
        )

    async def position_mode(
        self, account_id: str, product: Product, symbol: str, *, hedged: bool, caller: str
    ) -> Setup:
        """Hold long and short positions side by side, or one position a symbol. The exchange changes it for
        all symbols of the product; `symbol` is the one that is read afterwards."""
        _, venue = await self._permission.of(account_id)
        return await self._changed(
            *(account_id, venue, product, symbol),
            lambda: venue.set_position_mode(product, hedged=hedged),
            lambda setup: setup.hedged is hedged,
            caller,
            f"{product}: {'both sides' if hedged else 'one position a symbol'}",
        )

    async def _changed(
        self,
        account_id: str,
        venue: AccountSource,
        product: Product,
        symbol: str,
        send: Callable[[], Awaitable[None]],
        is_set: Callable[[Setup], bool],
        caller: str,
        said: str,
    ) -> Setup:
        refused: ExchangeError = ExchangeRefused("the exchange did not change it, and did not say why")
        try:
            await send()
        except KeysRefused:
            raise
        except ExchangeError as error:
            refused = error
        setup = await venue.setup(product, symbol)
        outcome = "done" if is_set(setup) else "refused"
        await self._settler.note(
            account=account_id, caller=caller, action="setup", outcome=outcome, said=said
        )
        if not is_set(setup):
            raise refused
        return setup
