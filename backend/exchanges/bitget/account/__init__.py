"""Bitget as an account sees it: classic (v2) or unified (v3), told apart by asking."""

from __future__ import annotations

from functools import partial

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.exchanges.base import RateLimit
from backend.exchanges.bitget import signing
from backend.exchanges.bitget.account import classic, key, placing, setup, spot, unified
from backend.exchanges.bitget.account.asking import FUTURES
from backend.exchanges.bitget.account.refusals import refused
from backend.exchanges.bitget.account.socket import CLASSIC_SOCKET
from backend.exchanges.bitget.market import BUDGET, PERPETUAL, VENUE
from backend.exchanges.private.refusals import Acceptance
from backend.exchanges.private.venue import Call, Flavour, PrivateVenue
from backend.trading.rows import Order, Page, Product

URL = "https://api.bitget.com"


def _classic_open_orders(product: Product, cursor: str) -> Call[Page[Order]]:
    return spot.open_orders(cursor) if product is Product.SPOT else classic.open_orders(product, cursor)


def _classic_order(product: Product, symbol: str, client_id: str) -> Call[Order | None]:
    if product is Product.SPOT:
        return spot.order(client_id)
    return classic.order(product, symbol, client_id)


PRODUCTS = (Product.SPOT, *FUTURES)

UNIFIED = Flavour(
    name="unified",
    probe=unified.balances(),
    uid=key.uid(key.UNIFIED_INFO),
    key=key.unified_key,
    balances=dict.fromkeys(PRODUCTS, unified.balances()),
    positions={product: unified.positions(product) for product in FUTURES},
    fees=unified.fees,
    open_orders=unified.open_orders,
    order=unified.order,
    orders=dict.fromkeys(PRODUCTS, unified.ORDER_HISTORY),
    fills=dict.fromkeys(PRODUCTS, unified.FILL_HISTORY),
    bills=dict.fromkeys(PRODUCTS, unified.BILL_HISTORY),
    placing=placing.UNIFIED_PLACING,
    setup=setup.UNIFIED_SETUP,
)

CLASSIC = Flavour(
    name="classic",
    probe=classic.balances(Product.PERPETUAL_USDT),
    uid=key.uid(key.CLASSIC_INFO),
    key=key.classic_key,
    balances={
        Product.SPOT: spot.balances(),
        **{product: classic.balances(product) for product in FUTURES},
    },
    positions={product: classic.positions(product) for product in FUTURES},
    fees=key.classic_fees,
    open_orders=_classic_open_orders,
    order=_classic_order,
    orders={Product.SPOT: spot.ORDER_HISTORY, **dict.fromkeys(FUTURES, classic.ORDER_HISTORY)},
    fills={Product.SPOT: spot.FILL_HISTORY, **dict.fromkeys(FUTURES, classic.FILL_HISTORY)},
    bills={Product.SPOT: spot.BILL_HISTORY, **dict.fromkeys(FUTURES, classic.BILL_HISTORY)},
    placing=placing.CLASSIC_PLACING,
    setup=setup.CLASSIC_SETUP,
    sockets=(CLASSIC_SOCKET,),
)

BITGET_ACCOUNT = PrivateVenue(
    name=VENUE,
    base_url=URL,
    demo_url=URL,
    budget=BUDGET,
    limits=tuple(
        RateLimit(path, calls, 1.0)
        for limits in (key.LIMITS, classic.LIMITS, spot.LIMITS, unified.LIMITS, placing.LIMITS, setup.LIMITS)
        for path, calls in limits.items()
    ),
    sign=signing.signer,
    sign_demo=partial(signing.signer, headers=signing.DEMO),
    refusal=refused,
    acceptance=Acceptance(window=MINUTE, margin=MINUTE // 2),
    flavours=(UNIFIED, CLASSIC),
    clock=Call(PERPETUAL.time_request, PERPETUAL.parse_time),
    began=parse_time("2018-01-01"),
)
"""A stale request is refused after 30 s by the documents of the sockets; of REST nothing is said, so it is
taken for twice as long."""
