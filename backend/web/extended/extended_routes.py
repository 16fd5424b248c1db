"""The routes of `/extended/v1`. Each needs the scopes that the one without the prefix needs."""

from __future__ import annotations

from typing import Any

from backend.access.policy import EXTENDED_PREFIX
from backend.services.service import Service
from backend.web.extended.account_handlers import (
    BalanceHandler,
    FeesHandler,
    LeverageHandler,
    OrderHandler,
    OrderHistoryHandler,
    OrdersHandler,
    PositionsHandler,
    TradesHandler,
)
from backend.web.extended.envelope import ExtendedHandler
from backend.web.extended.market_handlers import (
    BookHandler,
    CandlesHandler,
    FundingHandler,
    MarketsHandler,
    MarketTradesHandler,
    StatsHandler,
)


def extended_routes(service: Service) -> list[tuple[str, type[ExtendedHandler], dict[str, Any]]]:
    """The routes below the prefix."""
    routes: list[tuple[str, type[ExtendedHandler]]] = [
        ("markets", MarketsHandler),
        ("markets(?:/(.*))?/stats", StatsHandler),
        ("markets(?:/(.*))?/orderbook", BookHandler),
        ("markets(?:/(.*))?/trades", MarketTradesHandler),
        ("markets(?:/(.*))?/candles", CandlesHandler),
        ("markets(?:/(.*))?/funding", FundingHandler),
        ("account/balance", BalanceHandler),
        ("account/positions", PositionsHandler),
        ("account/leverage", LeverageHandler),
        ("account/fees", FeesHandler),
        ("orders", OrdersHandler),
        ("orders/history", OrderHistoryHandler),
        ("orders/([^/]*)", OrderHandler),
        ("trades", TradesHandler),
    ]
    return [(f"{EXTENDED_PREFIX}/{path}", handler, {"service": service}) for path, handler in routes]
