"""Bitget's accounts: what is asked, what rows of the documents mean, and what refusals mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from backend.core.windows import DAY
from backend.errors import KeysRefused, MalformedAnswer, ModeRefused, RateLimited
from backend.exchanges.base import Answer
from backend.exchanges.bitget.account import BITGET_ACCOUNT, CLASSIC, UNIFIED
from backend.exchanges.bitget.account.refusals import CODES, CODES_OF, refused
from backend.exchanges.bitget.market import BUDGET
from backend.exchanges.private.refusals import Meaning
from backend.exchanges.private.venue import Call, Flavour, Stream
from backend.trading.rows import Fee, Order, Product, Right, Status, Wanted
from tests.bitget_rows import (
    INFO,
    MIX_ACCOUNT,
    MIX_BILL,
    MIX_FILL,
    MIX_ORDER,
    MIX_POSITION,
    RATES,
    SPOT_ASSET,
    SPOT_BILL,
    SPOT_FILL,
    SPOT_ORDER,
    UNIFIED_ASSET,
    UNIFIED_BILL,
    UNIFIED_FILL,
    UNIFIED_ORDER,
    UNIFIED_POSITION,
)
from tests.private import KEYS, shown

USDT = Product.PERPETUAL_USDT
WANTED = Wanted(product=USDT, start=1_700_000_000_000, end=1_700_000_000_000 + DAY)
FLAVOURS = pytest.mark.parametrize("flavour", [UNIFIED, CLASSIC], ids=lambda flavour: flavour.name)


def told(data: Any, *, code: str = "00000", status: int = 200, msg: str = "success") -> Answer:
    said = {"code": code, "msg": msg, "requestTime": 1767225600123, "data": data}
    return Answer(status, {}, json.dumps(said).encode())


def mix_order(**said: Any) -> Order:
    data = {"entrustedList": [MIX_ORDER | said], "endId": "1111"}
    return CLASSIC.orders[USDT].ask(WANTED).parse(told(data)).rows[0]


def test_an_order_of_the_classic_account_is_read() -> None:
    order = mix_order()
    assert (order.symbol, order.order_id, order.client_id, order.product) == (
        "BTCUSDT",
        "1111",
        "mine-1",
        USDT,
    )
    assert (order.side, order.held, order.kind, order.status) == ("buy", "long", "market", Status.CANCELLED)
    assert (order.price, order.average_price) == (None, Decimal("43000.1"))
    assert (order.size, order.filled) == (Decimal("0.002"), Decimal("0.001"))
    assert order.fees == (Fee("USDT", Decimal("0.0348")),)
    assert (order.created, order.updated) == (1701923982427, 1701923982497)
    assert order.reduce_only is False


@pytest.mark.parametrize(
    ("mode", "side", "trade_side", "traded", "held"),
    [
        ("hedge_mode", "buy", "open", "buy", "long"),
        ("hedge_mode", "buy", "close", "sell", "long"),
        ("hedge_mode", "sell", "open", "sell", "short"),
        ("hedge_mode", "sell", "close", "buy", "short"),
        ("hedge_mode", "buy", "burst_close_long", "sell", "long"),
        ("hedge_mode", "sell", "dte_sys_adl_close_short", "buy", "short"),
        ("one_way_mode", "buy", "buy_single", "buy", "net"),
        ("one_way_mode", "sell", "reduce_sell_single", "sell", "net"),
    ],
)
def test_the_side_of_the_classic_account_names_the_position_in_hedge_mode(
    mode: str, side: str, trade_side: str, traded: str, held: str
) -> None:
    order = mix_order(
        posMode=mode, side=side, tradeSide=trade_side, posSide="long" if side == "buy" else "short"
    )
    assert (order.side, order.held) == (traded, held)


def test_a_fill_and_a_bill_of_the_classic_account_are_read() -> None:
    (fill,) = CLASSIC.fills[USDT].ask(WANTED).parse(told({"fillList": [MIX_FILL], "endId": "2222"})).rows
    assert (fill.fill_id, fill.order_id, fill.side, fill.role) == ("2222", "1111", "sell", "taker")
    assert (fill.price, fill.size, fill.value) == (Decimal("1801.33"), Decimal("0.02"), Decimal("36.02"))
    assert (fill.fees, fill.realised) == ((Fee("USDT", Decimal("0.0216")),), Decimal("0.0252"))
    (bill,) = CLASSIC.bills[USDT].ask(WANTED).parse(told({"bills": [MIX_BILL], "endId": "3333"})).rows
    assert (bill.bill_id, bill.coin, bill.kind) == ("3333", "USDT", "trans_to_exchange")
    assert (bill.amount, bill.fee, bill.balance, bill.time) == (
        Decimal("-11.64958799"),
        Decimal(0),
        None,
        1700728034996,
    )


def test_rows_of_classic_spot_are_read() -> None:
    wanted = Wanted(product=Product.SPOT, start=1, end=2, symbol="BTCUSDT")
    (order,) = CLASSIC.orders[Product.SPOT].ask(wanted).parse(told([SPOT_ORDER])).rows
    assert (order.status, order.price, order.size, order.held) == (
        Status.OPEN,
        Decimal(25000),
        Decimal("0.0002"),
        None,
    )
    bought = SPOT_ORDER | {"orderType": "market", "price": "0", "size": "100"}
    (order,) = CLASSIC.orders[Product.SPOT].ask(wanted).parse(told([bought])).rows
    assert (order.size, order.price) == (None, None)
    (fill,) = CLASSIC.fills[Product.SPOT].ask(wanted).parse(told([SPOT_FILL])).rows
    assert (fill.price, fill.fees) == (Decimal("28467.68"), (Fee("USDT", Decimal("0.0056")),))
    (bill,) = CLASSIC.bills[Product.SPOT].ask(wanted).parse(told([SPOT_BILL])).rows
    assert (bill.balance, bill.fee) == (Decimal(0), Decimal("0.1"))


def test_rows_of_the_unified_account_are_read() -> None:
    said = {"list": [UNIFIED_ORDER], "cursor": "1111"}
    (order,) = UNIFIED.orders[USDT].ask(WANTED).parse(told(said)).rows
    assert (order.side, order.held, order.status) == ("sell", "long", Status.FILLED)
    assert (order.price, order.average_price) == (None, Decimal("107005.4"))
    assert order.fees == (Fee("USDT", Decimal("0.00642032")),)
    (fill,) = UNIFIED.fills[USDT].ask(WANTED).parse(told({"list": [UNIFIED_FILL], "cursor": 1})).rows
    assert (fill.fill_id, fill.side, fill.realised) == ("2222", "sell", Decimal("0.5"))
    assert fill.fees == (Fee("USDT", Decimal("0.00642032")),)
    (bill,) = UNIFIED.bills[USDT].ask(WANTED).parse(told({"list": [UNIFIED_BILL], "cursor": "1"})).rows
    assert (bill.balance, bill.fee) == (Decimal("55.10017801"), Decimal("0.00000531"))


@FLAVOURS
def test_one_order_is_asked_for_by_our_own_id(flavour: Flavour) -> None:
    call = flavour.order(USDT, "BTCUSDT", "mine-1")
    assert call.request.params["clientOid"] == "mine-1"
    row = UNIFIED_ORDER if flavour is UNIFIED else MIX_ORDER | {"status": "", "state": "filled"}
    order = call.parse(told(row))
    assert order is not None
    assert (order.client_id, order.status) == ("mine-1", Status.FILLED)
    with pytest.raises(MalformedAnswer):
        call.parse(told(None))  # nothing is no proof that there is no order


def test_an_order_of_classic_spot_that_is_not_there_is_none() -> None:
    call = CLASSIC.order(Product.SPOT, "BTCUSDT", "mine-1")
    order = call.parse(told([SPOT_ORDER]))
    assert order is not None
    assert order.client_id == "mine-1"
    assert call.parse(told([])) is None


def test_open_orders_of_both_accounts_are_read() -> None:
    row = UNIFIED_ORDER | {"category": "SPOT", "orderStatus": "live", "posSide": "", "holdMode": ""}
    (order,) = UNIFIED.open_orders(Product.SPOT, "").parse(told({"list": [row], "cursor": "1"})).rows
    assert (order.status, order.held, order.product) == (Status.OPEN, None, Product.SPOT)
    partly = MIX_ORDER | {"status": "partially_filled"}
    page = CLASSIC.open_orders(USDT, "").parse(told({"entrustedList": [partly], "endId": "1111"}))
    assert (page.rows[0].status, page.cursor) == (Status.PARTIALLY_FILLED, "1111")
    assert CLASSIC.open_orders(USDT, "1111").request.params["idLessThan"] == "1111"


@pytest.mark.parametrize(
    ("mode", "side", "held", "size"),
    [
        ("hedge_mode", "long", "long", "0.01"),
        ("hedge_mode", "short", "short", "0.01"),
        ("one_way_mode", "long", "net", "0.01"),
        ("one_way_mode", "short", "net", "-0.01"),
    ],
)
def test_positions_of_both_modes_and_accounts_are_read(mode: str, side: str, held: str, size: str) -> None:
    classic = MIX_POSITION | {"holdSide": side, "posMode": mode}
    unified = UNIFIED_POSITION | {"posSide": side, "holdMode": mode}
    for flavour, data in ((CLASSIC, [classic]), (UNIFIED, {"list": [unified]})):
        (position,) = flavour.positions[USDT].parse(told(data))
        assert (position.held, position.size) == (held, Decimal(size))
        assert (position.entry_price, position.unrealised, position.leverage) == tuple(
            map(Decimal, (25000, 1, 20))
        )
        assert position.liquidation_price is None


def test_wallets_are_read() -> None:
    (balance,) = CLASSIC.balances[USDT].parse(told([MIX_ACCOUNT]))
    assert (balance.coin, balance.available, balance.frozen) == ("USDT", Decimal("1316.88"), Decimal(1))
    assert balance.equity == Decimal("1317.10")
    (balance,) = CLASSIC.balances[Product.SPOT].parse(told([SPOT_ASSET]))
    assert (balance.coin, balance.frozen, balance.equity) == ("USDT", Decimal("0.3"), None)
    for product in UNIFIED.balances:
        (balance,) = UNIFIED.balances[product].parse(told({"accountEquity": "1", "assets": [UNIFIED_ASSET]}))
        assert (balance.available, balance.frozen, balance.equity) == (Decimal(5), Decimal(1), Decimal("6.1"))


@FLAVOURS
def test_fees_are_read(flavour: Flavour) -> None:
    rates = flavour.fees(USDT, "BTCUSDT").parse(told(RATES))
    assert (rates.maker, rates.taker) == (Decimal("0.0002"), Decimal("0.0006"))


@pytest.mark.parametrize(
    ("said", "rights"),
    [
        ({"authorities": ["coor", "stor"]}, {Right.READ}),
        ({"authorities": ["coow", "stor"]}, {Right.READ, Right.TRADE}),
        ({"authorities": ["wtow"]}, {Right.READ, Right.TRANSFER}),
        ({"authorities": ["wwow"]}, {Right.READ, Right.WITHDRAW}),
        ({"permType": "read-and-write", "permissions": ["uta_trade"]}, {Right.READ, Right.TRADE}),
        ({"permType": "read-only", "permissions": ["uta_trade", "uta_mgt"]}, {Right.READ}),
        ({"authorities": ["sub_withdraw_all"]}, {Right.READ, Right.WITHDRAW}),
        ({"permType": "read-only", "permissions": ["withdraw"]}, {Right.READ, Right.WITHDRAW}),
        ({"permissions": ["WITHDRAW", "something_new"]}, {Right.READ, Right.WITHDRAW, Right.OTHER}),
    ],
)
@FLAVOURS
def test_what_a_key_may_do_is_read(flavour: Flavour, said: dict[str, Any], rights: set[Right]) -> None:
    data = INFO | said
    facts = flavour.key(KEYS).parse(told(data))
    assert facts.rights == rights
    assert facts.addresses == ("10.0.0.1", "10.0.0.2")
    assert facts.registered == 1600000000000
    assert flavour.uid.parse(told(data)) == "77"
    assert flavour.key(KEYS).parse(told({"userId": 7, "ips": ""})).addresses == ()


PAGES: list[tuple[Callable[[Wanted], Call[Any]], Callable[[list[Any], str], Any], dict[str, Any]]] = [
    (CLASSIC.orders[USDT].ask, lambda rows, last: {"entrustedList": rows, "endId": last}, MIX_ORDER),
    (CLASSIC.fills[USDT].ask, lambda rows, last: {"fillList": rows, "endId": last}, MIX_FILL),
    (CLASSIC.bills[USDT].ask, lambda rows, last: {"bills": rows, "endId": last}, MIX_BILL),
    (UNIFIED.orders[USDT].ask, lambda rows, last: {"list": rows, "cursor": last}, UNIFIED_ORDER),
    (UNIFIED.fills[USDT].ask, lambda rows, last: {"list": rows, "cursor": last}, UNIFIED_FILL),
    (UNIFIED.bills[USDT].ask, lambda rows, last: {"list": rows, "cursor": last}, UNIFIED_BILL),
]


@pytest.mark.parametrize(("ask", "framed", "row"), PAGES)
def test_pages_go_on_by_cursor_until_one_is_empty(
    ask: Callable[[Wanted], Call[Any]], framed: Callable[[list[Any], Any], Any], row: dict[str, Any]
) -> None:
    """A page that is not full is not the last: caps may shrink."""
    page = ask(WANTED).parse(told(framed([row], "900")))
    assert (len(page.rows), page.cursor, page.full) == (1, "900", False)
    following = Wanted(product=USDT, start=WANTED.start, end=WANTED.end, cursor="900")
    assert "900" in ask(following).request.params.values()
    nothings: tuple[Any, ...] = ([], None, "")
    for nothing in nothings:
        last = ask(following).parse(told(framed(nothing, "")))
        assert (last.rows, last.cursor) == ((), None)
    unnamed = ask(WANTED).parse(told(framed([row], "")))
    assert unnamed.cursor in {row.get(name) for name in ("orderId", "tradeId", "execId", "billId", "id")}
    with pytest.raises(MalformedAnswer, match="do not go on"):
        ask(following).parse(told(framed([row], "900")))


@pytest.mark.parametrize(("ask", "framed", "row"), PAGES)
def test_a_row_without_what_it_is_about_is_a_malformed_answer(
    ask: Callable[[Wanted], Call[Any]], framed: Callable[[list[Any], Any], Any], row: dict[str, Any]
) -> None:
    needed = [
        name for name in row if name in ("orderId", "billId", "tradeId", "execId", "id", "cTime", "coin")
    ]
    assert needed
    for name in needed:
        with pytest.raises(MalformedAnswer):
            ask(WANTED).parse(told(framed([row | {name: ""}], "1")))
    for name in {"side", "status", "orderStatus"} & set(row):
        with pytest.raises(MalformedAnswer, match="not known"):
            ask(WANTED).parse(told(framed([row | {name: "sideways"}], "1")))


def test_spot_pages_go_on_by_their_last_id() -> None:
    rows = [SPOT_ORDER | {"orderId": "9"}, SPOT_ORDER | {"orderId": "8"}]
    assert CLASSIC.open_orders(Product.SPOT, "").parse(told(rows)).cursor == "8"
    assert CLASSIC.open_orders(Product.SPOT, "8").request.params["idLessThan"] == "8"
    assert CLASSIC.open_orders(Product.SPOT, "8").parse(told([])).cursor is None


@FLAVOURS
def test_every_question_has_a_budget_and_is_only_read(flavour: Flavour) -> None:
    streams: list[Stream[Any]] = [*flavour.orders.values(), *flavour.fills.values(), *flavour.bills.values()]
    calls: list[Call[Any]] = [
        *(stream.ask(WANTED) for stream in streams if stream.needs == "nothing"),
        *flavour.balances.values(),
        *flavour.positions.values(),
        *(flavour.open_orders(product, "") for product in flavour.balances),
        *(flavour.order(product, "X", "1") for product in flavour.balances),
        flavour.fees(USDT, "BTCUSDT"),
        flavour.key(KEYS),
        flavour.uid,
        flavour.probe,
    ]
    counted = {limit.unit for limit in (*BITGET_ACCOUNT.limits, *BUDGET.limits)}
    assert [call.request for call in calls if not set(call.request.cost) <= counted] == []
    assert {call.request.method for call in calls} == {"GET"}
    assert all("" not in call.request.params.values() for call in calls)
    assert all(
        set(each) == set(Product) - {Product.PERPETUAL_USD}
        for each in (flavour.orders, flavour.fills, flavour.bills)
    )


def test_each_kind_of_account_is_asked_at_its_own_version() -> None:
    assert UNIFIED.orders[USDT].ask(WANTED).request.path == "/api/v3/trade/history-orders"
    assert CLASSIC.orders[USDT].ask(WANTED).request.path == "/api/v2/mix/order/orders-history"
    assert dict(CLASSIC.orders[USDT].ask(WANTED).request.params) == {
        "productType": "USDT-FUTURES",
        "startTime": "1700000000000",
        "endTime": "1700086400000",
        "limit": "100",
    }
    assert UNIFIED.probe.request.path.startswith("/api/v3/")
    assert CLASSIC.probe.request.path.startswith("/api/v2/mix/")


def test_a_success_is_no_refusal() -> None:
    assert refused(told([])) is None


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("40009", 400, Meaning.KEYS),
        ("40014", 400, Meaning.KEYS),
        ("40018", 400, Meaning.KEYS),
        ("40008", 400, Meaning.CLOCK),
        ("40085", 400, Meaning.MODE),
        ("40084", 400, Meaning.MODE),
        ("25245", 200, Meaning.MODE),
        ("429", 429, Meaning.RATE_LIMIT),
        ("45001", 400, Meaning.UNKNOWN),
        ("40786", 400, Meaning.UNKNOWN),
        ("25212", 400, Meaning.UNKNOWN),
        ("43001", 400, Meaning.ABSENT),
        ("25204", 400, Meaning.ABSENT),
        ("40762", 400, Meaning.REFUSED),
        ("99999", 400, Meaning.REFUSED),
        ("99999", 200, Meaning.UNKNOWN),
        ("", 200, Meaning.UNKNOWN),
        ("", 503, Meaning.UNKNOWN),
        ("", 403, Meaning.REFUSED),
    ],
)
def test_a_code_means_what_can_be_done(code: str, status: int, meaning: Meaning) -> None:
    refusal = refused(told(None, code=code, status=status, msg="words"))
    assert refusal is not None
    assert (refusal.meaning, refusal.code, refusal.said) == (meaning, code or str(status), "words")
    assert (refusal.retry_after is not None) == (meaning is Meaning.RATE_LIMIT)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code":1}'])
def test_an_answer_that_nobody_can_read_leaves_the_outcome_unknown(body: bytes) -> None:
    refusal = refused(Answer(200, {}, body))
    assert refusal is not None
    assert refusal.meaning is Meaning.UNKNOWN


def test_no_code_has_two_meanings() -> None:
    assert len(CODES) == sum(len(codes.split()) for codes in CODES_OF.values())


def test_the_failures_of_an_account_do_not_show_its_keys() -> None:
    failure = BITGET_ACCOUNT.failure(KEYS)
    error = failure(told(None, code="40037", status=400, msg=f"Apikey {KEYS.key} does not exist"))
    assert isinstance(error, KeysRefused)
    assert not shown(str(error) + repr(error))
    assert isinstance(failure(told(None, code="40085", status=400)), ModeRefused)
    assert isinstance(failure(told(None, code="429", status=429)), RateLimited)
    assert failure(told([])) is None


def test_a_request_is_never_believed_lost_before_the_documented_window() -> None:
    assert BITGET_ACCOUNT.acceptance.last_moment(0) >= 60_000
