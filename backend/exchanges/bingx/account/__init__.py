"""BingX as an account sees it: spot, and perpetuals in USDT, in USDC and against coins."""

from __future__ import annotations

from backend.clock import parse_time
from backend.exchanges.base import Budget, RateLimit
from backend.exchanges.bingx import signing
from backend.exchanges.bingx.account import key, perpetual, placing, setup, socket, spot
from backend.exchanges.bingx.account.refusals import refused
from backend.exchanges.bingx.market import PERPETUAL, VENUE
from backend.exchanges.private.refusals import Acceptance
from backend.exchanges.private.venue import Call, Flavour, PrivateVenue
from backend.trading.rows import FeeRates, Order, Page, Product

LIMITS = {**key.LIMITS, **perpetual.LIMITS, **spot.LIMITS, **placing.LIMITS, **setup.LIMITS, **socket.LIMITS}

BUDGET = Budget(
    f"{VENUE}-account", tuple(RateLimit(path, of_address, 1.0) for path, (_, of_address) in LIMITS.items())
)
"""What an address may ask for its accounts. Market data is counted apart."""

SWAP = (Product.PERPETUAL_USDT, Product.PERPETUAL_USDC)
PERPETUALS = (*SWAP, Product.PERPETUAL_COIN)


def _fees(product: Product, symbol: str) -> Call[FeeRates]:
    return spot.fees(symbol) if product is Product.SPOT else perpetual.fees(product)


def _open_orders(product: Product, _cursor: str) -> Call[Page[Order]]:
    return spot.open_orders() if product is Product.SPOT else perpetual.open_orders(product)


def _order(product: Product, symbol: str, client_id: str) -> Call[Order | None]:
    if product is Product.SPOT:
        return spot.order(symbol, client_id)
    return perpetual.order(product, symbol, client_id)


ACCOUNT = Flavour(
    name="account",
    probe=key.uid(),
    uid=key.uid(),
    key=key.key,
    balances={
        Product.SPOT: spot.balances(),
        **{product: perpetual.balances(product) for product in PERPETUALS},
    },
    positions={product: perpetual.positions(product) for product in PERPETUALS},
    fees=_fees,
    open_orders=_open_orders,
    order=_order,
    orders={Product.SPOT: spot.ORDER_HISTORY, **dict.fromkeys(PERPETUALS, perpetual.ORDER_HISTORY)},
    fills={
        Product.SPOT: spot.FILL_HISTORY,
        **dict.fromkeys(SWAP, perpetual.SWAP_FILLS),
        Product.PERPETUAL_COIN: perpetual.COIN_FILLS,
    },
    bills=dict.fromkeys(SWAP, perpetual.BILL_HISTORY),
    placing=placing.PLACING,
    setup=setup.SETUP,
    sockets=socket.SOCKETS,
)
"""Changes of the spot wallet and of coin-margined ones are not offered."""

BINGX_ACCOUNT = PrivateVenue(
    name=VENUE,
    base_url="https://open-api.bingx.com",
    demo_url="https://open-api-vst.bingx.com",
    budget=BUDGET,
    limits=tuple(RateLimit(path, of_account, 1.0) for path, (of_account, _) in LIMITS.items()),
    sign=signing.signer,
    sign_demo=signing.signer,
    refusal=refused,
    acceptance=Acceptance(window=signing.RECEIVE_WINDOW, margin=signing.RECEIVE_WINDOW),
    flavours=(ACCOUNT,),
    clock=Call(PERPETUAL.time_request, PERPETUAL.parse_time),
    began=parse_time("2018-01-01"),
)
