"""`/account/...` and `/orders`: what an exchange says of an account now."""

from __future__ import annotations

from backend.services.service import Service
from backend.trading.money import plain
from backend.trading.rows import Product
from backend.web.server.parameters import one_of
from backend.web.trading import account_shapes, account_views
from backend.web.trading.handler import ACCOUNT, PRODUCT, PRODUCTS, SYMBOL, TradingHandler

READING = (ACCOUNT, PRODUCT)
ONE = (ACCOUNT,)
FEE_PRODUCT = one_of(
    "product", PRODUCTS, "The product", default=Product.PERPETUAL_USDT, shown=Product.PERPETUAL_USDT.value
)
FEES = (ACCOUNT, FEE_PRODUCT, SYMBOL)


class BalanceHandler(TradingHandler):
    """All wallets, or that of one `product`."""

    def initialize(self, service: Service, product: Product | None = None) -> None:
        super().initialize(service)
        self._product = product

    async def get(self) -> None:
        values = self.query(ONE)
        reading = await self.trading.readings.balances(await self.account_id(values), self._product)
        self.answer(
            account_shapes.BalanceAnswer(
                **account_views.read(reading), wallets=account_views.wallets(reading.said)
            )
        )


class PositionsHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(READING)
        reading = await self.trading.readings.positions(await self.account_id(values), values[PRODUCT])
        rows = [account_views.position(row) for row in reading.said]
        self.answer(account_shapes.PositionsAnswer(**account_views.read(reading), positions=rows))


class LeverageHandler(TradingHandler):
    """The leverage of open positions."""

    async def get(self) -> None:
        values = self.query(READING)
        reading = await self.trading.readings.positions(await self.account_id(values), values[PRODUCT])
        rows = [account_views.leverage(row) for row in reading.said]
        self.answer(account_shapes.LeverageAnswer(**account_views.read(reading), leverage=rows))


class FeesHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(FEES)
        product, symbol = values[FEE_PRODUCT], values[SYMBOL]
        reading = await self.trading.readings.fees(await self.account_id(values), product, symbol)
        self.answer(
            account_shapes.FeesAnswer(
                **account_views.read(reading),
                product=product,
                symbol=symbol,
                maker=plain(reading.said.maker),
                taker=plain(reading.said.taker),
            )
        )


class OpenOrdersHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(READING)
        reading = await self.trading.readings.open_orders(await self.account_id(values), values[PRODUCT])
        rows = [account_views.order(row) for row in reading.said]
        self.answer(
            account_shapes.OpenOrdersAnswer(**account_views.read(reading), count=len(rows), orders=rows)
        )
