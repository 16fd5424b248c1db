"""The routes of accounts."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from backend.trading.rows import Product
from backend.web.streams.websocket import UpgradePath
from backend.web.trading.account_stream import AccountSocketHandler, AccountStreamHandler
from backend.web.trading.accounts import AccountHandler, AccountsHandler, CheckHandler
from backend.web.trading.alarms import (
    AlarmHandler,
    AlarmsHandler,
    AlertTemplateHandler,
    NewTokenHandler,
    OperationsHandler,
    ReplayHandler,
    ReplaysHandler,
    StrategiesHandler,
    StrategyHandler,
    StrategyReplayHandler,
    StrategyRevisionsHandler,
    StrategyTestHandler,
)
from backend.web.trading.history import (
    CompletenessHandler,
    ExtractionHandler,
    ExtractOrdersHandler,
    LedgerHandler,
    OrderHistoryHandler,
    StageHandler,
    TradesHandler,
)
from backend.web.trading.orders import (
    AuditHandler,
    ClosePositionsHandler,
    IntentsHandler,
    KillHandler,
    OrderHandler,
    OrdersHandler,
)
from backend.web.trading.readings import (
    BalanceHandler,
    FeesHandler,
    PositionsHandler,
)
from backend.web.trading.setups import MarginModeHandler, PositionModeHandler, SetLeverageHandler
from backend.web.trading.triggers import TriggerHandler, TriggersHandler
from backend.web.trading.twaps import TwapHandler, TwapsHandler
from backend.web.trading.webhook import WebhookHandler

Route = tuple[str | UpgradePath, type[RequestHandler], dict[str, Any]]


def trading_routes(given: dict[str, Any]) -> list[Route]:
    """All of them. If accounts are off, they answer so."""
    return [
        (r"/accounts", AccountsHandler, given),
        (r"/accounts/([^/]*)", AccountHandler, given),
        (r"/accounts/([^/]*)/check", CheckHandler, given),
        (UpgradePath(r"/stream/account"), AccountSocketHandler, given),
        (r"/stream/account", AccountStreamHandler, given),
        (r"/account/balance", BalanceHandler, given),
        *((f"/account/balance/{one}", BalanceHandler, given | {"product": one}) for one in Product),
        (r"/account/positions", PositionsHandler, given),
        (r"/account/leverage", SetLeverageHandler, given),
        (r"/account/margin-mode", MarginModeHandler, given),
        (r"/account/position-mode", PositionModeHandler, given),
        (r"/account/fees", FeesHandler, given),
        (r"/orders", OrdersHandler, given),
        (r"/orders/history", OrderHistoryHandler, given),
        (r"/orders/([^/]*)", OrderHandler, given),
        (r"/intents", IntentsHandler, given),
        (r"/triggers", TriggersHandler, given),
        (r"/triggers/([^/]*)", TriggerHandler, given),
        (r"/twap", TwapsHandler, given),
        (r"/twap/([^/]*)", TwapHandler, given),
        (r"/positions/close", ClosePositionsHandler, given),
        (r"/kill", KillHandler, given),
        (r"/audit", AuditHandler, given),
        (r"/trades", TradesHandler, given),
        (r"/ledger", LedgerHandler, given),
        (r"/account/completeness", CompletenessHandler, given),
        (r"/extract-orders", ExtractOrdersHandler, given),
        (r"/extract-orders/([^/]*)", ExtractionHandler, given),
        (r"/test/([^/]*)", StageHandler, given),
        (r"/webhook", WebhookHandler, given),
        (r"/webhook/([^/]*)", WebhookHandler, given),
        (r"/strategies", StrategiesHandler, given),
        (r"/strategies/([^/]*)", StrategyHandler, given),
        (r"/strategies/([^/]*)/revisions", StrategyRevisionsHandler, given),
        (r"/strategies/([^/]*)/token", NewTokenHandler, given),
        (r"/strategies/([^/]*)/alert-template", AlertTemplateHandler, given),
        (r"/strategies/([^/]*)/test", StrategyTestHandler, given),
        (r"/strategies/([^/]*)/replay", StrategyReplayHandler, given),
        (r"/replays", ReplaysHandler, given),
        (r"/replays/([^/]*)", ReplayHandler, given),
        (r"/alarms", AlarmsHandler, given),
        (r"/alarms/([^/]*)", AlarmHandler, given),
        (r"/operations", OperationsHandler, given),
    ]
