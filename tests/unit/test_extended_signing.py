"""Signatures of Extended, as others work them out, and as the simulator's own implementation reads them.

The vectors stand in a text beside the folder that RECORDED_PAYLOADS names: they are read there.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x10.config import MAINNET_CONFIG, TESTNET_CONFIG
from x10.core.stark_account import StarkPerpetualAccount
from x10.models.market import MarketModel
from x10.models.order import OrderPriceType, OrderSide, OrderTpslType, OrderTriggerPriceType, TimeInForce
from x10.signing.order_object import OrderTpslTriggerParam, create_order_object

from backend.core.windows import DAY
from backend.errors import ExchangeRefused, KeysRefused
from backend.exchanges.base import Request
from backend.exchanges.extended import signing
from backend.exchanges.extended.account import ACCOUNT, EXTENDED_ACCOUNT, key
from backend.exchanges.extended.account.placing import RESTS_FOR, TAKES_FOR, salt_of
from backend.exchanges.extended.signing import Amounts, Owner, Units
from backend.exchanges.private.venue import Prepared
from backend.trading.account_keys import Keys
from backend.trading.rows import Product
from backend.trading.tickets import Force, Ticket
from tests.simulator.private import stark
from tests.simulator.private.extended_rows import market_row
from tests.simulator.private.rows import Pair
from tests.simulator.private.running import STARK_KEYS
from tests.unit.extended_answers import told

FOLDER = os.environ.get("RECORDED_PAYLOADS")
KEYS = Keys(*STARK_KEYS)
OWNER = signing.owner_of(KEYS)
MOMENT = 1_767_225_600_123
UNITS = Units(
    synthetic="0x4254432d3600000000000000000000",
    synthetic_resolution=1_000_000,
    collateral="0x1",
    collateral_resolution=1_000_000,
)
BTC = Pair("BTC", "USDC")
ORDER = re.compile(
    r"(?P<chain>SN_\w+), (?P<side>BUY|SELL) (?P<size>\S+) @ (?P<price>\S+), fee (?P<fee>\S+), "
    r"vault (?P<vault>\d+), nonce (?P<nonce>\d+), expiry (?P<expiry>\d+)"
)


def vectors() -> tuple[str, dict[str, list[str]]]:
    """The made-up private key, and the cells of each vector."""
    for path in Path(FOLDER).parent.glob("*.md") if FOLDER else ():
        text = path.read_text()
        if found := re.search(r"Made-up private key `(0x\w+)`", text):
            rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| E\d ", line)]
            return found[1], {row[0]: row[1:] for row in rows}
    pytest.skip("no text with vectors lies beside the folder that RECORDED_PAYLOADS names")


def test_the_vectors_of_orders_come_out() -> None:
    private, rows = vectors()
    for name in ("E1", "E2"):
        found = ORDER.match(rows[name][0])
        assert found is not None
        owner = signing.owner_of(Keys("dummy", private, found["vault"]))
        numbers = signing.amounts(
            "buy" if found["side"] == "BUY" else "sell",
            Decimal(found["size"]),
            Decimal(found["price"]),
            Decimal(found["fee"]),
            UNITS,
        )
        number = signing.order_hash(
            owner,
            numbers,
            UNITS,
            expiry=int(found["expiry"]),
            salt=int(found["nonce"]),
            chain=found["chain"],  # type: ignore[arg-type]
        )
        r, s = signing.signature(owner, number)
        assert [f"`{hex(one)}`" for one in (number, r, s)] == [cell.strip() for cell in rows[name][2:5]]
        assert stark.verified(owner.public, number, r, s)


def test_a_vector_of_the_official_library_comes_out_in_both_ways() -> None:
    _, rows = vectors()
    public = int(re.search(r"public key `(0x\w+)`", rows["E5"][0])[1], 16)  # type: ignore[index]
    units = Units(synthetic="0x2", synthetic_resolution=1, collateral="0x1", collateral_resolution=1)
    owner = Owner(private=1, public=public, vault=100)
    ours = signing.order_hash(
        owner,
        Amounts(100, -156, 74),
        units,
        expiry=(100 - signing.SETTLED_AFTER) * 1000,
        salt=123,
        chain=signing.TESTNET,
    )
    theirs = stark.order_hash(stark.Order(100, 2, 100, 1, -156, 1, 74, 100, 123), public, stark.TESTNET)
    assert f"`{hex(ours)}`" == f"`{hex(theirs)}`" == rows["E5"][2].strip()


def placed(ticket: Ticket, client_id: str, *, demo: bool = False, moment: int = MOMENT) -> dict[str, Any]:
    """The body of an order as it is sent."""
    place = ACCOUNT.placing.place
    assert isinstance(place, Prepared)
    made = place.ask(ticket).parse(told([market_row(BTC, Decimal(30_000))]))
    request = made(ticket, client_id).request
    sign = (EXTENDED_ACCOUNT.sign_demo if demo else EXTENDED_ACCOUNT.sign)(KEYS)
    signed = sign(request, moment)
    assert (request.method, signed.target) == ("POST", "/user/order")
    assert signed.headers == {"X-Api-Key": KEYS.key, "Content-Type": "application/json"}
    body: dict[str, Any] = json.loads(signed.body)
    return body


def sdk_market() -> Any:
    return MarketModel.model_validate(market_row(BTC, Decimal(30_000)))


TICKETS = st.builds(
    Ticket,
    product=st.just(Product.PERPETUAL_USD),
    symbol=st.just("BTC-USD"),
    side=st.sampled_from(["buy", "sell"]),
    size=st.integers(1, 10**9).map(lambda size: Decimal(size) / 100_000),
    price=st.integers(1, 10**7).map(lambda price: Decimal(price) / 10),
    force=st.sampled_from([Force.GTC, Force.IOC, Force.POST_ONLY]),
    reduce_only=st.just(False),
    take_profit=st.none() | st.just(Decimal("39999.9")),
    stop_loss=st.none() | st.just(Decimal("20000.1")),
)


@given(ticket=TICKETS, demo=st.booleans(), name=st.text("0123456789abcdef", min_size=31, max_size=31))
def test_any_order_is_signed_as_the_official_sdk_signs_it(ticket: Ticket, demo: bool, name: str) -> None:
    body = placed(ticket, f"i{name}", demo=demo)
    lives = TAKES_FOR if ticket.force is Force.IOC else RESTS_FOR
    legs: dict[str, Any] = {
        leg: OrderTpslTriggerParam(
            trigger_price=Decimal(body[word]["triggerPrice"]),
            trigger_price_type=OrderTriggerPriceType.MARK,
            price=Decimal(body[word]["price"]),
            price_type=OrderPriceType.MARKET,
        )
        for leg, word in (("take_profit", "takeProfit"), ("stop_loss", "stopLoss"))
        if word in body
    }
    assert ticket.price is not None
    assert ticket.size is not None
    expected = create_order_object(
        account=StarkPerpetualAccount(OWNER.vault, hex(OWNER.private), hex(OWNER.public), KEYS.key),
        market=sdk_market(),
        amount_of_synthetic=ticket.size,
        price=ticket.price,
        side=OrderSide(ticket.side.upper()),
        starknet_domain=(TESTNET_CONFIG if demo else MAINNET_CONFIG).signing.starknet_domain,
        post_only=ticket.force is Force.POST_ONLY,
        expire_time=datetime.fromtimestamp((MOMENT + lives) / 1000, UTC),
        order_external_id=f"i{name}",
        time_in_force=TimeInForce.IOC if ticket.force is Force.IOC else TimeInForce.GTT,
        nonce=salt_of(f"i{name}"),
        tp_sl_type=OrderTpslType.ORDER if legs else None,
        **legs,
    ).to_api_request_json(exclude_none=True)
    assert _same(body) == _same(expected)


def _same(body: dict[str, Any]) -> dict[str, Any]:
    """A body whose numbers read alike."""

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: read(one) for name, one in value.items()}
        if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return Decimal(value).normalize()
        return value

    return {name: read(value) for name, value in body.items()}


@given(ticket=TICKETS, demo=st.booleans())
def test_a_signature_holds_for_its_order_and_its_chain_alone(ticket: Ticket, demo: bool) -> None:
    body = placed(ticket, "i0", demo=demo)
    numbers = body["debuggingAmounts"]
    order = stark.Order(
        position=int(KEYS.passphrase),
        base_asset=int(market_row(BTC, Decimal(1))["l2Config"]["syntheticId"], 16),
        base=int(numbers["syntheticAmount"]),
        quote_asset=1,
        quote=int(numbers["collateralAmount"]),
        fee_asset=1,
        fee=int(numbers["feeAmount"]),
        expiration=-(-body["expiryEpochMillis"] // 1000) + 14 * 86_400,
        salt=int(body["nonce"]),
    )
    r, s = (int(body["settlement"]["signature"][part], 16) for part in ("r", "s"))
    chain, other = (stark.TESTNET, stark.MAINNET) if demo else (stark.MAINNET, stark.TESTNET)
    assert stark.verified(OWNER.public, stark.order_hash(order, OWNER.public, chain), r, s)
    assert not stark.verified(OWNER.public, stark.order_hash(order, OWNER.public, other), r, s)
    changed = order._replace(fee=order.fee + 1)
    assert not stark.verified(OWNER.public, stark.order_hash(changed, OWNER.public, chain), r, s)


def test_an_order_is_the_same_each_time_but_for_its_end() -> None:
    ticket = Ticket(product=Product.PERPETUAL_USD, symbol="BTC-USD", side="buy", size=Decimal("0.01"))
    assert placed(ticket, "i0") == placed(ticket, "i0")
    later = placed(ticket, "i0", moment=MOMENT + 1000)
    assert later["expiryEpochMillis"] == placed(ticket, "i0")["expiryEpochMillis"] + 1000
    assert 1 <= salt_of("i0") != salt_of("i1") < 2**31
    assert RESTS_FOR < 28 * DAY


@pytest.mark.parametrize(
    ("secret", "vault"),
    [
        ("not-a-number", "1"),
        ("0x0", "1"),
        (hex(signing.CURVE_ORDER), "1"),
        ("0x1", "x"),
        ("0x1", "0"),
        ("0x1", ""),
    ],
)
def test_keys_that_are_none_are_refused_and_not_shown(secret: str, vault: str) -> None:
    with pytest.raises(KeysRefused, match="private Stark key") as refused:
        signing.owner_of(Keys("dummy", secret, vault))
    assert secret not in str(refused.value)


def test_without_the_package_reading_goes_on_and_signing_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signing, "stark", None)
    assert signing.mainnet_signer(KEYS)(Request("/user/balance"), MOMENT).headers == {"X-Api-Key": KEYS.key}
    ticket = Ticket(product=Product.PERPETUAL_USD, symbol="BTC-USD", side="buy", size=Decimal("0.01"))
    with pytest.raises(ExchangeRefused, match="fast-stark-crypto"):
        placed(ticket, "i0")
    info = {"accountId": 1, "l2Key": "0x1", "l2Vault": "1"}
    with pytest.raises(ExchangeRefused, match="fast-stark-crypto"):
        key.key(KEYS).parse(told(info))
