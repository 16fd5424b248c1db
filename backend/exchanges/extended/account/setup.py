"""How a market of an Extended account is set: its leverage. Margin is crossed, positions are never hedged."""

from __future__ import annotations

import msgspec

from backend.exchanges.base import Request
from backend.exchanges.extended.account.asking import asked
from backend.exchanges.extended.account.rows import LeverageRow
from backend.exchanges.extended.market import COST
from backend.exchanges.private.venue import Call, SetupCalls
from backend.exchanges.private.wire import Listed
from backend.trading.rows import Held, Product, Setup

LEVERAGE = "/user/leverage"


def read(product: Product, symbol: str) -> tuple[Call[Setup], ...]:
    def made(said: Listed[LeverageRow]) -> Setup:
        lever = next((row.leverage for row in said.data if row.market == symbol), None)
        return Setup(
            product=product, symbol=symbol, long=lever, short=lever, margin_mode="crossed", hedged=False
        )

    return (asked(LEVERAGE, {"market": symbol}, Listed[LeverageRow], made),)


def leverage(_product: Product, symbol: str, _held: Held, leverage: int) -> Call[None]:
    """The answer may have no body."""
    body = msgspec.json.encode({"market": symbol, "leverage": str(leverage)})
    return Call(Request(LEVERAGE, cost=COST, method="PATCH", body=body, urgent=True), lambda _answer: None)


SETUP = SetupCalls(read=read, leverage=leverage, margin_mode=None, position_mode=None)
