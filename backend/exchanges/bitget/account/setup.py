"""How a symbol of Bitget's accounts is set: leverage, margin mode, position mode.

Source: https://www.bitget.com/api-doc/contract/account/Get-Single-Account, .../Change-Leverage,
.../Change-Margin-Mode, .../Change-Hold-Mode, and .../uta/account/Get-Account-Setting, .../Change-Leverage.
A unified account has its position mode for all products; its margin mode cannot be changed by symbol.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from backend.exchanges.bitget.account.asking import FUTURES, asked, changed
from backend.exchanges.bitget.account.placing import margin_coin
from backend.exchanges.bitget.account.unified import CATEGORIES
from backend.exchanges.private.venue import Call, SetupCalls
from backend.exchanges.private.wire import Name, Told
from backend.trading.money import Exact
from backend.trading.rows import Held, Product, Setup
from backend.trading.tickets import MarginMode

ACCOUNT = "/api/v2/mix/account/account"
LEVERAGE = "/api/v2/mix/account/set-leverage"
MARGIN_MODE = "/api/v2/mix/account/set-margin-mode"
POSITION_MODE = "/api/v2/mix/account/set-position-mode"
V3_SETTINGS = "/api/v3/account/settings"
V3_LEVERAGE, V3_HOLD_MODE = "/api/v3/account/set-leverage", "/api/v3/account/set-hold-mode"

LIMITS: Mapping[str, int] = {
    ACCOUNT: 10,
    V3_SETTINGS: 10,
    **dict.fromkeys((LEVERAGE, MARGIN_MODE, POSITION_MODE, V3_LEVERAGE, V3_HOLD_MODE), 5),
}
"""Requests a second of an account. Those of v3 are not documented for certain."""

HEDGED: Mapping[str, bool] = {"hedge_mode": True, "one_way_mode": False}


class AccountRow(msgspec.Struct, rename="camel"):
    margin_mode: Name
    pos_mode: Name
    crossed_margin_leverage: Exact | None = None
    isolated_long_lever: Exact | None = None
    isolated_short_lever: Exact | None = None


class Config(msgspec.Struct, rename="camel"):
    category: Name
    symbol: Name
    leverage: Exact | None = None
    margin_mode: str = ""


class Settings(msgspec.Struct, rename="camel"):
    hold_mode: Name
    symbol_config_list: list[Config] = []


def read_classic(product: Product, symbol: str) -> tuple[Call[Setup], ...]:
    params = {
        "symbol": symbol,
        "productType": FUTURES[product],
        "marginCoin": margin_coin(product, symbol),
    }

    def made(said: Told[AccountRow]) -> Setup:
        row = said.data
        crossed = row.margin_mode.lower() in ("crossed", "cross")
        return Setup(
            product=product,
            symbol=symbol,
            long=row.crossed_margin_leverage if crossed else row.isolated_long_lever,
            short=row.crossed_margin_leverage if crossed else row.isolated_short_lever,
            margin_mode="crossed" if crossed else "isolated",
            hedged=HEDGED.get(row.pos_mode),
        )

    return (asked(ACCOUNT, params, Told[AccountRow], made),)


def read_unified(product: Product, symbol: str) -> tuple[Call[Setup], ...]:
    def made(said: Told[Settings]) -> Setup:
        wanted = (CATEGORIES[product], symbol)
        rows = [one for one in said.data.symbol_config_list if (one.category, one.symbol) == wanted]
        row = rows[0] if rows else None
        return Setup(
            product=product,
            symbol=symbol,
            long=row.leverage if row else None,
            short=row.leverage if row else None,
            margin_mode=row.margin_mode if row else "",
            hedged=HEDGED.get(said.data.hold_mode),
        )

    return (asked(V3_SETTINGS, {}, Told[Settings], made),)


def classic_leverage(product: Product, symbol: str, held: Held, leverage: int) -> Call[None]:
    """`held` counts for isolated margin alone; crossed margin has one leverage a symbol."""
    body = {**_market(product, symbol), "leverage": str(leverage), "holdSide": "" if held == "net" else held}
    return changed(LEVERAGE, body)


def classic_margin_mode(product: Product, symbol: str, mode: MarginMode) -> Call[None]:
    return changed(MARGIN_MODE, {**_market(product, symbol), "marginMode": mode})


def classic_position_mode(product: Product, hedged: bool) -> Call[None]:
    return changed(POSITION_MODE, {"productType": FUTURES[product], "posMode": _mode(hedged)})


def unified_leverage(product: Product, symbol: str, held: Held, leverage: int) -> Call[None]:
    body = {
        "category": CATEGORIES[product],
        "symbol": symbol,
        "coin": margin_coin(product, symbol),
        "leverage": str(leverage),
        "posSide": "" if held == "net" else held,
    }
    return changed(V3_LEVERAGE, body)


def unified_position_mode(_product: Product, hedged: bool) -> Call[None]:
    return changed(V3_HOLD_MODE, {"holdMode": _mode(hedged)})


def _market(product: Product, symbol: str) -> dict[str, str]:
    coin = margin_coin(product, symbol)
    return {"symbol": symbol, "productType": FUTURES[product], "marginCoin": coin}


def _mode(hedged: bool) -> str:
    return "hedge_mode" if hedged else "one_way_mode"


CLASSIC_SETUP = SetupCalls(
    read=read_classic,
    leverage=classic_leverage,
    margin_mode=classic_margin_mode,
    position_mode=classic_position_mode,
)
UNIFIED_SETUP = SetupCalls(
    read=read_unified,
    leverage=unified_leverage,
    margin_mode=None,
    position_mode=unified_position_mode,
)
