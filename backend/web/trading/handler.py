"""The common parts of the routes of accounts."""

from __future__ import annotations

from backend.errors import InvalidRequest, TradingOff
from backend.services.service import Trading
from backend.trading.account import Account
from backend.trading.rows import Product
from backend.web.server.handler import ApiHandler
from backend.web.server.json_schema import TEXT
from backend.web.server.parameters import Parameter, Values, one_of, read_text, text

PRODUCTS: dict[str, Product] = {product.value: product for product in Product}
ACCOUNT: Parameter[str | None] = Parameter(
    "account", "The account's id; may be left out where there is only one", TEXT, read_text, None
)
PRODUCT: Parameter[Product | None] = one_of("product", PRODUCTS, "Only this product", default=None)
SYMBOL = text("symbol", "A symbol in the exchange's own spelling, such as `BTC-USDT` at BingX")


class TradingHandler(ApiHandler):
    """Base of the routes of accounts."""

    @property
    def trading(self) -> Trading:
        """The use cases of accounts. Raises TradingOff."""
        if self.service.trading is None:
            raise TradingOff("accounts are off: set MASTER_KEYS and API_KEYS, then restart the service")
        return self.service.trading

    @property
    def caller(self) -> str:
        """The name of the request's key."""
        return self.guard.rights(self.request)[0] or ""

    async def account_of(self, values: Values) -> Account:
        """The account that a request names, or the only one. Raises UnknownAccount."""
        return await self.trading.accounts.get(await self.account_id(values))

    async def account_id(self, values: Values) -> str:
        """The account that a request names, or the only one."""
        if given := values[ACCOUNT]:
            return given
        accounts = await self.trading.accounts.all()
        if len(accounts) != 1:
            raise InvalidRequest(
                f"choose an account with `account`: there are {len(accounts)}", code="missing_account"
            )
        return accounts[0].id
