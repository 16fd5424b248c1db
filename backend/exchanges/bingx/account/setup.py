"""How a symbol of BingX's accounts is set: leverage, margin mode; the position mode of USDT and USDC.

Source: https://bingx-api.github.io/docs-v3 (Swap and Coin-M, Account).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.exchanges.bingx.account.asking import asked, sent
from backend.exchanges.bingx.account.perpetual import Kind, kind_of
from backend.exchanges.private.venue import Call, SetupCalls
from backend.exchanges.private.wire import Name, Told
from backend.trading.money import Exact
from backend.trading.rows import Held, Product, Setup
from backend.trading.tickets import MarginMode

ROOT: Mapping[Kind, str] = {"swap": "/openApi/swap/v2/trade", "coin": "/openApi/cswap/v1/trade"}
LEVERAGE: Mapping[Kind, str] = {kind: f"{root}/leverage" for kind, root in ROOT.items()}
MARGIN_TYPE: Mapping[Kind, str] = {kind: f"{root}/marginType" for kind, root in ROOT.items()}
DUAL = "/openApi/swap/v1/positionSide/dual"

LIMITS: Mapping[str, tuple[int, int]] = {
    LEVERAGE["swap"]: (5, 2),
    f"POST {LEVERAGE['swap']}": (5, 2),
    MARGIN_TYPE["swap"]: (2, 2),
    f"POST {MARGIN_TYPE['swap']}": (2, 2),
    DUAL: (2, 2),
    f"POST {DUAL}": (4, 2),
    LEVERAGE["coin"]: (5, 2),
    f"POST {LEVERAGE['coin']}": (5, 2),
    MARGIN_TYPE["coin"]: (5, 2),
    f"POST {MARGIN_TYPE['coin']}": (5, 2),
}
"""Requests a second of an account, and of an address."""

SIDES: Mapping[Held, str] = {"long": "LONG", "short": "SHORT", "net": "BOTH"}
MODES: Mapping[MarginMode, str] = {"crossed": "CROSSED", "isolated": "ISOLATED"}


class Leverages(msgspec.Struct, rename="camel"):
    long_leverage: Exact
    short_leverage: Exact


class MarginType(msgspec.Struct, rename="camel"):
    margin_type: Name


class Dual(msgspec.Struct, rename="camel"):
    dual_side_position: Name | bool


def read(product: Product, symbol: str) -> tuple[Call[Setup], ...]:
    kind, params = kind_of(product), {"symbol": symbol}

    def leverages(said: Told[Leverages]) -> Setup:
        rows = said.data
        return Setup(product=product, symbol=symbol, long=rows.long_leverage, short=rows.short_leverage)

    def margin(said: Told[MarginType]) -> Setup:
        is_crossed = said.data.margin_type.upper() == "CROSSED"
        return Setup(product=product, symbol=symbol, margin_mode="crossed" if is_crossed else "isolated")

    def dual(said: Told[Dual]) -> Setup:
        return Setup(
            product=product, symbol=symbol, hedged=str(said.data.dual_side_position).lower() == "true"
        )

    told = (
        asked(LEVERAGE[kind], params, Told[Leverages], leverages),
        asked(MARGIN_TYPE[kind], params, Told[MarginType], margin),
    )
    return (*told, asked(DUAL, {}, Told[Dual], dual)) if kind == "swap" else told


def leverage(product: Product, symbol: str, held: Held, leverage: int) -> Call[None]:
    params = {"symbol": symbol, "side": SIDES[held], "leverage": str(leverage)}
    return sent(LEVERAGE[kind_of(product)], params, Any, _nothing)


def margin_mode(product: Product, symbol: str, mode: MarginMode) -> Call[None]:
    params = {"symbol": symbol, "marginType": MODES[mode]}
    return sent(MARGIN_TYPE[kind_of(product)], params, Any, _nothing)


def position_mode(_product: Product, hedged: bool) -> Call[None]:
    return sent(DUAL, {"dualSidePosition": "true" if hedged else "false"}, Any, _nothing)


def _nothing(_: Any) -> None:
    return None


SETUP = SetupCalls(read=read, leverage=leverage, margin_mode=margin_mode, position_mode=position_mode)
