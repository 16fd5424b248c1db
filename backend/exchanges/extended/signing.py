"""Signs Extended's private requests: the API key in a header, and orders by the account's Stark key.

Source: SNIP-12, revision 1, and the official SDK (x10-python-trading-starknet 2.6). An order is a typed
message in whole numbers of its market's smallest units. The chain's name is signed too: a signature for play
money is none for real money.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

import msgspec

from backend.errors import ExchangeRefused, KeysRefused
from backend.exchanges.base import Request, Sign, Signed
from backend.trading.account_keys import Keys
from backend.trading.money import times
from backend.trading.rows import Side

stark: ModuleType | None
try:
    stark = import_module("fast_stark_crypto")
except ImportError:  # It has no wheel for this machine.
    stark = None

Chain = Literal["SN_MAIN", "SN_SEPOLIA"]
MAINNET: Chain = "SN_MAIN"
TESTNET: Chain = "SN_SEPOLIA"

ORDERS = "/user/order"
"""The path of orders, whose bodies are signed."""
LEGS = ("takeProfit", "stopLoss")
CURVE_ORDER = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
SETTLED_AFTER = 14 * 86_400
"""Seconds after an order's end for which its signature holds on the chain."""
SALTS = 2**31 - 1
"""The highest number that tells two equal orders apart."""


class Units(msgspec.Struct, frozen=True):
    """The assets of a market on the chain, and how many smallest units make one of each."""

    synthetic: str
    synthetic_resolution: int
    collateral: str
    collateral_resolution: int


class Draft(msgspec.Struct, frozen=True):
    """An order before it is signed: the body without what depends on keys and time. It ends `lives` ms after
    its signature."""

    order: dict[str, Any]
    units: Units
    lives: int


class Amounts(NamedTuple):
    """What is signed of an order in smallest units: what comes in is above zero, what goes out below."""

    base: int
    quote: int
    fee: int


class Owner(NamedTuple):
    """Who signs: a private key, its public one, and the number of the account's vault."""

    private: int
    public: int
    vault: int


def amounts(side: Side, size: Decimal, price: Decimal, fee: Decimal, units: Units) -> Amounts:
    """The amounts of an order. Those of a purchase are rounded up, of a sale down, and a fee always up."""
    rounding = ROUND_CEILING if side == "buy" else ROUND_FLOOR
    value = times(size, price, Decimal(units.collateral_resolution))
    base = int(times(size, Decimal(units.synthetic_resolution)).to_integral_value(rounding))
    quote = int(value.to_integral_value(rounding))
    paid = int(times(fee, value).to_integral_value(ROUND_CEILING))
    return Amounts(base, -quote, paid) if side == "buy" else Amounts(-base, quote, paid)


def owner_of(keys: Keys) -> Owner:
    """Who signs with these keys. Raises KeysRefused, whose message shows none of them."""
    try:
        private, vault = int(keys.secret, 16), int(keys.passphrase)
    except ValueError:
        private = vault = 0
    if not (0 < private < CURVE_ORDER and 0 < vault < 2**32):
        raise KeysRefused(
            "an account at Extended has the API key as its key, the private Stark key (0x...) as its secret, "
            "and the number of its vault as its passphrase"
        )
    return Owner(private, int(_stark().get_public_key(private)), vault)


def settlement_end(expiry: int) -> int:
    """The second until which a signature holds of an order that ends at `expiry` (ms)."""
    return -(-expiry // 1000) + SETTLED_AFTER


def order_hash(owner: Owner, numbers: Amounts, units: Units, *, expiry: int, salt: int, chain: Chain) -> int:
    """What is signed of an order that ends at `expiry` (ms)."""
    collateral = int(units.collateral, 16)
    made: int = _stark().get_order_msg_hash(
        position_id=owner.vault,
        base_asset_id=int(units.synthetic, 16),
        base_amount=numbers.base,
        quote_asset_id=collateral,
        quote_amount=numbers.quote,
        fee_asset_id=collateral,
        fee_amount=numbers.fee,
        expiration=settlement_end(expiry),
        salt=salt,
        user_public_key=owner.public,
        **domain(chain),
    )
    return made


def domain(chain: Chain) -> dict[str, str]:
    """What a signature is for, besides the message."""
    return {
        "domain_name": "Perpetuals",
        "domain_version": "v0",
        "domain_chain_id": chain,
        "domain_revision": "1",
    }


def signature(owner: Owner, number: int) -> tuple[int, int]:
    """The two numbers of a signature: the same each time."""
    r, s = _stark().sign(private_key=owner.private, msg_hash=number)
    return int(r), int(s)


def signer(keys: Keys, chain: Chain) -> Sign:
    """Signs requests with these keys."""

    def sign(request: Request, moment: int) -> Signed:
        body, headers = request.body, {"X-Api-Key": keys.key}
        if request.path == ORDERS and request.method == "POST":
            draft = msgspec.json.decode(body, type=Draft)
            body = msgspec.json.encode(signed_order(draft, owner_of(keys), moment, chain))
        if body:
            headers["Content-Type"] = "application/json"
        query = f"?{urlencode(request.params)}" if request.params else ""
        return Signed(f"{request.path}{query}", headers, body)

    return sign


def mainnet_signer(keys: Keys) -> Sign:
    """Signs for the chain of real money."""
    return signer(keys, MAINNET)


def testnet_signer(keys: Keys) -> Sign:
    """Signs for the chain of play money."""
    return signer(keys, TESTNET)


def signed_order(draft: Draft, owner: Owner, moment: int, chain: Chain) -> dict[str, Any]:
    """The body of an order that is signed at `moment` (ms). Its legs close what it opens: each is signed as
    an order of the other side."""
    order, expiry = dict(draft.order), moment + draft.lives
    side: Side = "buy" if order["side"] == "BUY" else "sell"
    other: Side = "sell" if side == "buy" else "buy"

    def settled(side: Side, price: str) -> dict[str, Any]:
        size, fee = Decimal(order["qty"]), Decimal(order["fee"])
        numbers = amounts(side, size, Decimal(price), fee, draft.units)
        salt = int(order["nonce"])
        r, s = signature(
            owner, order_hash(owner, numbers, draft.units, expiry=expiry, salt=salt, chain=chain)
        )
        return {
            "settlement": {
                "signature": {"r": hex(r), "s": hex(s)},
                "starkKey": hex(owner.public),
                "collateralPosition": str(owner.vault),
            },
            "debuggingAmounts": {
                "collateralAmount": str(numbers.quote),
                "feeAmount": str(numbers.fee),
                "syntheticAmount": str(numbers.base),
            },
        }

    legs: dict[str, Any] = {
        name: order[name] | settled(other, order[name]["price"]) for name in LEGS if name in order
    }
    return order | {"expiryEpochMillis": expiry} | settled(side, order["price"]) | legs


def _stark() -> Any:
    if stark is None:
        raise ExchangeRefused(
            "Extended's signatures need the package fast-stark-crypto, which is not installed here: "
            "see requirements-extended.txt"
        )
    return stark
