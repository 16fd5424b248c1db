"""`/account/leverage`, `/account/margin-mode`, `/account/position-mode`."""

from __future__ import annotations

from backend.errors import InvalidRequest
from backend.trading.account import Account
from backend.trading.rows import Product, Setup
from backend.web.server.parameters import Values
from backend.web.trading import account_shapes, account_views
from backend.web.trading.handler import ACCOUNT, SYMBOL, TradingHandler
from backend.web.trading.order_parameters import (
    LEVERAGE,
    NEW_MARGIN_MODE,
    POSITION,
    POSITION_MODE,
    SETTING_LEVERAGE,
    SETTING_MARGIN_MODE,
    SETTING_POSITION_MODE,
    TRADED,
)
from backend.web.trading.readings import LeverageHandler

READING_SETUP = (ACCOUNT, TRADED, SYMBOL)


class SetupHandler(TradingHandler):
    """Base of what reads and sets a symbol."""

    async def get(self) -> None:
        values = self.query(READING_SETUP)
        account = await self.account_of(values)
        product, symbol = perpetual(values)
        self.answer_setup(account, await self.trading.orders.setups.read(account.id, product, symbol))

    def answer_setup(self, account: Account, setup: Setup) -> None:
        shape = account_views.setup(setup)
        self.answer(account_shapes.SetupAnswer(account=account.id, mode=account.mode, setup=shape))


class SetLeverageHandler(LeverageHandler, SetupHandler):
    """GET lists the leverage of open positions."""

    async def patch(self) -> None:
        self.query(())
        values = self.json_object(SETTING_LEVERAGE)
        account = await self.account_of(values)
        product, symbol = perpetual(values)
        setup = await self.trading.orders.setups.leverage(
            account.id, product, symbol, values[POSITION], values[LEVERAGE], caller=self.caller
        )
        self.answer_setup(account, setup)


class MarginModeHandler(SetupHandler):
    async def patch(self) -> None:
        self.query(())
        values = self.json_object(SETTING_MARGIN_MODE)
        account = await self.account_of(values)
        product, symbol = perpetual(values)
        mode = values[NEW_MARGIN_MODE]
        setup = await self.trading.orders.setups.margin_mode(
            account.id, product, symbol, mode, caller=self.caller
        )
        self.answer_setup(account, setup)


class PositionModeHandler(SetupHandler):
    async def patch(self) -> None:
        self.query(())
        values = self.json_object(SETTING_POSITION_MODE)
        account = await self.account_of(values)
        product, symbol = perpetual(values)
        hedged = values[POSITION_MODE]
        setup = await self.trading.orders.setups.position_mode(
            account.id, product, symbol, hedged=hedged, caller=self.caller
        )
        self.answer_setup(account, setup)


def perpetual(values: Values) -> tuple[Product, str]:
    """The market of a request; spot has nothing to set."""
    if values[TRADED] is Product.SPOT:
        raise InvalidRequest("spot has no leverage and no modes", code="unknown_product")
    return values[TRADED], values[SYMBOL]
