"""The envelope of `/extended/v1`: `{status, data}`, its errors, and the account that a request means."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from backend.core.series import Series
from backend.web.extended import extended_shapes as shapes
from backend.web.server.common_parameters import SYMBOL
from backend.web.server.parameters import Values
from backend.web.trading.handler import ACCOUNT, TradingHandler

VENUE = "extended"
STATUSES = frozenset((400, 401, 403, 405, 421, 429, 500))
"""Of errors; 405 and 421 say that a route lacks a method, and that the host is none of ours. Others are told
as the one of these that means the same to a client."""


class ExtendedHandler(TradingHandler):
    """Base: the envelope, and the account."""

    def answer(self, body: object, status: int = HTTPStatus.OK) -> None:
        """Every error of the service passes here too."""
        if isinstance(body, Mapping) and body.get("success") is False:
            fault = body["error"]
            error = shapes.ExtendedFault(code=fault["code"], message=fault["message"])
            body = shapes.ExtendedError(status="error", error=error)
            if status not in STATUSES:
                status = 500 if status > 500 else 400
        super().answer(body, status)

    def tell(self, data: object, *, cursor: str | None = None, count: int | None = None) -> None:
        """A success; `count` is that of a page."""
        page = None if count is None else shapes.ExtendedPagination(cursor=cursor, count=count)
        self.answer(shapes.ExtendedAnswer(status="ok", data=data, pagination=page))

    async def account_id(self, values: Values) -> str:
        """The account that a request names, or the only one at Extended: who changes something looks anew."""
        if given := values[ACCOUNT]:
            return given
        accounts = self.trading.readings if self.request.method == "GET" else self.trading.accounts
        return await accounts.only_at(VENUE)

    def series_of(self, symbol: str | None, market: str = "perpetual") -> Series:
        return self.service.markets.series(SYMBOL.read(SYMBOL.name, symbol), VENUE, market)
