"""Extended as an account sees it: perpetuals in US dollars, on mainnet (live) and on the testnet (demo)."""

from __future__ import annotations

from backend.clock import parse_time
from backend.exchanges.extended import signing
from backend.exchanges.extended.account import asking, key, placing, setup, socket
from backend.exchanges.extended.account.refusals import refused
from backend.exchanges.extended.account.rows import PRODUCT
from backend.exchanges.extended.market import PERPETUAL, VENUE
from backend.exchanges.private.refusals import Acceptance
from backend.exchanges.private.venue import Call, Flavour, PrivateVenue

ACCOUNT = Flavour(
    name="account",
    probe=key.uid(),
    uid=key.uid(),
    key=key.key,
    balances={PRODUCT: asking.balances()},
    positions={PRODUCT: asking.positions()},
    fees=asking.fees,
    open_orders=asking.open_orders,
    order=asking.order,
    orders={PRODUCT: asking.ORDER_HISTORY},
    fills={PRODUCT: asking.FILL_HISTORY},
    bills={PRODUCT: asking.BILL_HISTORY},
    placing=placing.PLACING,
    setup=setup.SETUP,
    sockets=(socket.SOCKET,),
)

EXTENDED_ACCOUNT = PrivateVenue(
    name=VENUE,
    base_url=PERPETUAL.base_url,
    demo_url="https://api.starknet.sepolia.extended.exchange/api/v1",
    budget=PERPETUAL.budget,
    limits=(),
    sign=signing.mainnet_signer,
    sign_demo=signing.testnet_signer,
    refusal=refused,
    acceptance=Acceptance(window=placing.TAKES_FOR, margin=30_000),
    flavours=(ACCOUNT,),
    clock=Call(PERPETUAL.time_request, PERPETUAL.parse_time),
    began=parse_time("2025-08-01"),
)
"""No request has a time in it. An order that takes at once is bound by the end that is signed. One that rests
lives long: for it `acceptance` is an assumption, and the watch adopts what is seen later."""
