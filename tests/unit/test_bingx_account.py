"""BingX's accounts: what is asked, what rows of the documents mean, and what refusals mean."""

from __future__ import annotations

import json
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import msgspec
import pytest

from backend.core.windows import DAY
from backend.errors import KeysRefused, MalformedAnswer
from backend.exchanges.base import LONGEST_SAID, Answer
from backend.exchanges.bingx.account import ACCOUNT, BINGX_ACCOUNT, LIMITS
from backend.exchanges.bingx.account.key import KeyRow
from backend.exchanges.bingx.account.refusals import CODES, CODES_OF, refused
from backend.exchanges.bingx.market import BLOCK_SECONDS, BUSY_SECONDS
from backend.exchanges.private.refusals import Meaning
from backend.exchanges.private.venue import Call, Prepared, Stream
from backend.trading.rows import Fee, Page, Product, Right, Status, Wanted
from backend.trading.tickets import Ticket
from tests.bingx_rows import (
    BALANCE,
    COIN_FILL,
    COIN_ORDER,
    INCOME,
    KEY,
    ORDER,
    POSITION,
    SPOT_BALANCE,
    SPOT_FILL_TEXT,
    SPOT_ORDER,
    SWAP_FILL,
    UID,
)
from tests.private import KEYS, shown

SPOT, USDT, USDC, COIN = (
    Product.SPOT,
    Product.PERPETUAL_USDT,
    Product.PERPETUAL_USDC,
    Product.PERPETUAL_COIN,
)
START = 1_700_000_000_000


def wanted(product: Product, **more: Any) -> Wanted:
    return Wanted(product=product, start=START, end=START + DAY, **more)


def told(data: Any, *, code: int = 0, msg: str = "", status: int = 200, date: str = "") -> Answer:
    return Answer(
        status, {"date": date} if date else {}, json.dumps({"code": code, "msg": msg, "data": data}).encode()
    )


def test_an_order_of_perpetuals_is_read() -> None:
    (order,) = ACCOUNT.orders[USDT].ask(wanted(USDT)).parse(told({"orders": [ORDER]})).rows
    assert (order.product, order.symbol, order.order_id) == (USDT, "PYTH-USDT", "1736007506620112100")
    assert (order.client_id, order.side, order.held, order.kind) == ("mine-1", "sell", "short", "limit")
    assert (order.status, order.price, order.size) == (Status.FILLED, Decimal("0.3916"), Decimal(33))
    assert order.fees == (Fee("USDT", Decimal("0.002585")),)
    assert (order.created, order.updated) == (1702731418000, 1702731470000)


def test_an_order_against_coins_is_read_whatever_its_capitals() -> None:
    (order,) = ACCOUNT.orders[COIN].ask(wanted(COIN)).parse(told({"orders": [COIN_ORDER]})).rows
    assert (order.product, order.held, order.status) == (COIN, "long", Status.PARTIALLY_FILLED)
    assert (order.price, order.average_price, order.updated) == (None, None, 1721803819000)
    assert order.fees == (Fee("SOL", Decimal("0.0001")),)


def test_an_order_of_spot_is_read() -> None:
    (order,) = ACCOUNT.orders[SPOT].ask(wanted(SPOT)).parse(told({"orders": [SPOT_ORDER]})).rows
    assert (order.order_id, order.client_id, order.status) == ("1735963671248581000", "mine-2", Status.OPEN)
    assert (order.held, order.size, order.filled) == (None, Decimal(115), Decimal(0))


def test_one_order_is_asked_for_by_our_own_id() -> None:
    for product, row in ((USDT, ORDER), (COIN, COIN_ORDER | {"clientOrderId": "mine-1"})):
        call = ACCOUNT.order(product, "X", "Mine-1")
        assert call.request.params["clientOrderId"] == "mine-1"
        order = call.parse(told({"order": row}))
        assert order is not None
        assert order.client_id == "mine-1"
        with pytest.raises(MalformedAnswer):
            call.parse(told({"order": None}))  # nothing is no proof that there is no order
    order = ACCOUNT.order(SPOT, "X", "mine-2").parse(told(SPOT_ORDER))
    assert order is not None
    assert order.client_id == "mine-2"


def test_which_stablecoin_an_order_is_in_stands_in_its_symbol() -> None:
    call = ACCOUNT.orders[USDC].ask(wanted(USDC))
    assert call.request.params["currency"] == "USDC"
    assert "currency" not in ACCOUNT.orders[USDT].ask(wanted(USDT)).request.params
    (order,) = call.parse(told({"orders": [ORDER | {"symbol": "BTC-USDC"}]})).rows
    assert (order.product, order.fees[0].coin) == (USDC, "USDC")


def test_the_time_of_a_fill_is_the_one_that_names_its_zone() -> None:
    call = ACCOUNT.fills[USDT].ask(wanted(USDT, symbol="WLD-USDT"))
    (fill,) = call.parse(told({"fill_history_orders": [SWAP_FILL]})).rows
    assert fill.time == 1702731516000  # 12:58:36 UTC
    assert (fill.fill_id, fill.side, fill.role, fill.size) == ("97", "buy", "taker", Decimal("4.10"))
    assert (fill.fees, fill.value) == ((Fee("USDT", Decimal("0.0025")),), Decimal("12.7492"))
    without = {name: value for name, value in SWAP_FILL.items() if name != "filledTime"}
    for bad in (without, SWAP_FILL | {"filledTime": "yesterday"}, SWAP_FILL | {"qty": "", "volume": None}):
        with pytest.raises(MalformedAnswer):
            call.parse(told({"fill_history_orders": [bad]}))


def test_a_fill_against_coins_and_one_of_spot_are_read() -> None:
    (fill,) = ACCOUNT.fills[COIN].ask(wanted(COIN, order_id="1817")).parse(told([COIN_FILL])).rows
    assert (fill.product, fill.fill_id, fill.role, fill.time) == (COIN, "97244554", "taker", 1722146730000)
    assert (fill.fees, fill.realised) == ((Fee("SOL", Decimal("0.00005475")),), Decimal("0.5"))
    said = f'{{"code":0,"data":{{"fills":[{SPOT_FILL_TEXT}]}}}}'
    call = ACCOUNT.fills[SPOT].ask(wanted(SPOT, symbol="LTC-USDT"))
    (fill,) = call.parse(Answer(200, {}, said.encode())).rows
    assert (fill.side, fill.role, fill.order_id) == ("buy", "taker", "1674069326895775744")
    assert fill.fees == (Fee("LTC", Decimal("0.00005820000000000001")),)  # a float would end otherwise


def test_what_came_into_a_wallet_is_read() -> None:
    (bill,) = ACCOUNT.bills[USDT].ask(wanted(USDT)).parse(told([INCOME])).rows
    assert (bill.kind, bill.coin, bill.amount) == ("FUNDING_FEE", "USDT", Decimal("-0.0292"))
    assert bill.bill_id == INCOME["tranId"]
    assert ACCOUNT.bills[USDT].ask(wanted(USDT)).parse(told(None)).rows == ()
    assert SPOT not in ACCOUNT.bills
    assert COIN not in ACCOUNT.bills


@pytest.mark.parametrize(
    ("said", "held", "size"),
    [
        ({}, "short", "0.20"),
        ({"positionSide": "LONG"}, "long", "0.20"),
        ({"onlyOnePosition": True}, "net", "-0.20"),
        ({"onlyOnePosition": True, "positionSide": "LONG"}, "net", "0.20"),
        ({"onlyOnePosition": True, "positionSide": "BOTH", "positionAmt": "-0.20"}, "net", "-0.20"),
        ({"positionSide": "", "positionAmt": "-0.20"}, "net", "-0.20"),
    ],
)
def test_a_position_of_either_mode_is_read(said: dict[str, Any], held: str, size: str) -> None:
    (position,) = ACCOUNT.positions[USDT].parse(told([POSITION | said]))
    assert (position.held, position.size) == (held, Decimal(size))
    assert (position.margin_mode, position.margin_coin, position.leverage) == ("isolated", "USDT", Decimal(5))
    assert position.liquidation_price == Decimal("294.169")
    assert ACCOUNT.positions[USDT].parse(told(None)) == ()


def test_wallets_are_read() -> None:
    rows = [BALANCE, {"asset": "USDC", "availableMargin": "0"}]
    for product in (USDT, USDC, COIN):
        balance, other = ACCOUNT.balances[product].parse(told(rows))
        assert (balance.coin, balance.available, balance.frozen) == ("USDT", Decimal("15.1"), Decimal("4.9"))
        assert (balance.equity, other.equity) == (Decimal(20), None)
    (balance,) = ACCOUNT.balances[SPOT].parse(told({"balances": [SPOT_BALANCE]}))
    assert (balance.available, balance.frozen) == (Decimal("100.5"), Decimal(0))


@pytest.mark.parametrize(
    ("product", "data"),
    [
        (SPOT, '{"takerCommissionRate":0.0005,"makerCommissionRate":0.0002}'),
        (USDT, '{"commission":{"takerCommissionRate":0.0005,"makerCommissionRate":0.0002}}'),
        (COIN, '{"takerCommissionRate":"0.0005","makerCommissionRate":"0.0002"}'),
    ],
)
def test_fees_are_read_to_the_digit(product: Product, data: str) -> None:
    rates = ACCOUNT.fees(product, "X").parse(Answer(200, {}, f'{{"code":0,"data":{data}}}'.encode()))
    assert (rates.maker, rates.taker) == (Decimal("0.0002"), Decimal("0.0005"))


@pytest.mark.parametrize(
    ("permissions", "rights"),
    [
        ([2], {Right.READ}),
        ([1, 2, 3], {Right.READ, Right.TRADE}),
        (["2", "4"], {Right.READ, Right.TRANSFER}),
        ([2, 5], {Right.READ, Right.WITHDRAW}),
        ([2, 99], {Right.READ, Right.OTHER}),
    ],
)
def test_what_the_key_that_asks_may_do_is_read(permissions: list[Any], rights: set[Right]) -> None:
    other = {"apiKey": "another", "permissions": [1, 2, 3, 4, 5], "ipAddresses": []}
    own = KEY | {"permissions": permissions}
    facts = ACCOUNT.key(KEYS).parse(told({"apiInfos": [other, own]}))
    assert facts.rights == rights
    assert facts.addresses == ("10.0.0.1",)
    with pytest.raises(MalformedAnswer) as refusal:
        ACCOUNT.key(KEYS).parse(told({"apiInfos": [other]}))
    assert not shown(str(refusal.value))
    assert ACCOUNT.uid.parse(told(UID)) == "16844999"


def test_a_row_that_names_a_key_does_not_show_it() -> None:
    row = msgspec.convert(KEY, KeyRow)
    assert row.api_key == KEYS.key
    assert not shown(repr(row))


def test_the_first_moment_of_all_may_be_asked_for() -> None:
    for product in (SPOT, USDT, COIN):
        call = ACCOUNT.orders[product].ask(Wanted(product=product, start=0, end=1))
        assert call.request.params["startTime"] == "0"


@pytest.mark.parametrize(("product", "usual", "row"), [(USDT, 500, ORDER), (COIN, 100, COIN_ORDER)])
def test_a_page_without_a_cursor_says_when_it_is_full(
    product: Product, usual: int, row: dict[str, Any]
) -> None:
    ask = ACCOUNT.orders[product].ask
    rows = [row | {"orderId": number} for number in range(usual)]
    assert ask(wanted(product)).parse(told({"orders": rows})).full
    page = ask(wanted(product)).parse(told({"orders": rows[1:]}))
    assert (page.full, page.cursor, len(page.rows)) == (False, None, usual - 1)


def spot_page(cursor: str, rows: list[Any]) -> Page[Any]:
    return ACCOUNT.orders[SPOT].ask(wanted(SPOT, cursor=cursor)).parse(told({"orders": rows}))


def test_open_orders_come_all_at_once() -> None:
    for product, row in ((USDT, ORDER), (COIN, COIN_ORDER), (SPOT, SPOT_ORDER)):
        page = ACCOUNT.open_orders(product, "").parse(told({"orders": [row | {"status": "PENDING"}]}))
        assert [order.status for order in page.rows] == [Status.OPEN]
        assert (page.cursor, page.full) == (None, False)


def test_numbered_pages_go_on_until_one_is_empty_or_none_may_be_asked_for() -> None:
    assert spot_page("", [SPOT_ORDER]).cursor == "2"
    assert spot_page("7", [SPOT_ORDER]).cursor == "8"
    assert spot_page("7", []) == Page(())
    assert spot_page("100", [SPOT_ORDER]).full
    assert spot_page("100", [SPOT_ORDER]).cursor is None
    call = ACCOUNT.fills[USDT].ask(wanted(USDT, symbol="WLD-USDT", cursor="3"))
    assert call.request.params["pageIndex"] == "3"
    assert call.parse(told({"fill_history_orders": [SWAP_FILL]})).cursor == "4"


def test_every_request_has_both_budgets_and_questions_only_read() -> None:
    calls: list[Call[Any]] = [
        *(stream.ask(wanted(product)) for product, stream in ACCOUNT.orders.items()),
        *(stream.ask(wanted(one, symbol="X", order_id="1")) for one, stream in ACCOUNT.fills.items()),
        *(stream.ask(wanted(product)) for product, stream in ACCOUNT.bills.items()),
        *ACCOUNT.balances.values(),
        *ACCOUNT.positions.values(),
        *(ACCOUNT.open_orders(product, "") for product in ACCOUNT.balances),
        *(ACCOUNT.fees(product, "X") for product in ACCOUNT.balances),
        *(ACCOUNT.order(product, "X", "1") for product in ACCOUNT.balances),
        *(ACCOUNT.placing.rules(product, "X") for product in ACCOUNT.balances),
        *(
            call
            for product in ACCOUNT.balances
            if product is not SPOT
            for call in ACCOUNT.setup.read(product, "X")
        ),
        ACCOUNT.key(KEYS),
        ACCOUNT.uid,
    ]
    assert ACCOUNT.setup.margin_mode is not None
    assert ACCOUNT.setup.position_mode is not None
    place = ACCOUNT.placing.place
    assert not isinstance(place, Prepared)
    spot = {"held": "net", "quote_size": Decimal(5), "size": None}
    changing: list[Call[Any]] = [
        *(ACCOUNT.placing.cancel(product, "X-USDT", "1", "") for product in ACCOUNT.balances),
        *(place(ticket(product, **(spot if product is SPOT else {})), "i1") for product in ACCOUNT.balances),
    ]
    for product in (USDT, Product.PERPETUAL_COIN):
        changing.append(ACCOUNT.setup.leverage(product, "X", "long", 5))
        changing.append(ACCOUNT.setup.margin_mode(product, "X", "crossed"))
    changing.append(ACCOUNT.setup.position_mode(USDT, True))
    trial = ACCOUNT.placing.trial(ticket(USDT), "i1")
    assert trial is not None
    assert ACCOUNT.placing.trial(ticket(Product.PERPETUAL_COIN), "i1") is None
    changing.append(trial)
    changing += [socket.listen_key for socket in ACCOUNT.sockets if socket.listen_key is not None]
    named = {f"{call.request.method} {call.request.path}" for call in changing}
    assert {call.request.path for call in calls} | named == set(LIMITS)
    assert all(dict(call.request.cost) == {call.request.path: 1} for call in calls)
    assert all(sum(call.request.cost.values()) == 1 for call in changing)
    assert not any(call.request.may_be_repeated for call in changing)
    assert all("" not in call.request.params.values() for call in changing)
    assert {limit.unit for limit in BINGX_ACCOUNT.limits} == set(LIMITS)
    assert {limit.unit for limit in BINGX_ACCOUNT.budget.limits} == set(LIMITS)
    assert {call.request.method for call in calls} == {"GET"}
    assert all("" not in call.request.params.values() for call in calls)


def ticket(product: Product, **changes: Any) -> Ticket:
    given: dict[str, Any] = {"symbol": "X-USDT", "side": "buy", "size": Decimal(1), "held": "long"}
    return Ticket(product=product, **(given | changes))


def test_a_question_about_a_week_stays_within_a_week() -> None:
    streams: list[Stream[Any]] = [*ACCOUNT.orders.values(), ACCOUNT.fills[USDT], ACCOUNT.fills[SPOT]]
    for stream in streams:
        whole = Wanted(product=USDT, start=START, end=START + stream.span, symbol="X")
        params = stream.ask(whole).request.params
        start, end = (int(params.get(f"{name}Time") or params[f"{name}Ts"]) for name in ("start", "end"))
        assert start < START
        assert end - start <= 7 * DAY


@pytest.mark.parametrize(
    ("code", "msg", "status", "meaning"),
    [
        (100001, "", 200, Meaning.KEYS),
        (100413, "Incorrect apiKey", 200, Meaning.KEYS),
        (100419, "IP does not match IP whitelist", 200, Meaning.KEYS),
        (100421, "", 200, Meaning.CLOCK),
        (100421, "timestamp is invalid", 200, Meaning.CLOCK),
        (100421, "This pair is not open to API", 200, Meaning.REFUSED),
        (109400, "timestamp is invalid", 200, Meaning.CLOCK),
        (109400, "In the Hedge mode, the 'ReduceOnly' field can not be filled.", 200, Meaning.MODE),
        (109400, "symbol must end with -USDT", 200, Meaning.REFUSED),
        (104103, "", 200, Meaning.MODE),
        (100410, "", 200, Meaning.RATE_LIMIT),
        (0, "", 429, Meaning.RATE_LIMIT),
        (0, "", 418, Meaning.RATE_LIMIT),
        (101500, "The current system is busy", 200, Meaning.UNKNOWN),
        (101481, "", 200, Meaning.UNKNOWN),
        (101400, "clientOrderID already exists", 200, Meaning.UNKNOWN),
        (101400, "The minimum order amount is 0.0001 BTC.", 200, Meaning.REFUSED),
        (100500, "", 200, Meaning.UNKNOWN),
        (0, "", 504, Meaning.UNKNOWN),
        (109421, "order not exist", 200, Meaning.ABSENT),
        (100404, "the order you requested does not exist", 200, Meaning.ABSENT),
        (100404, "path not found", 200, Meaning.REFUSED),
        (101204, "", 200, Meaning.REFUSED),
        (80012, '{"Code":101253,"Msg":"margin is not enough"}', 200, Meaning.REFUSED),
        (999999, "never seen", 200, Meaning.UNKNOWN),
        (999999, "never seen", 400, Meaning.REFUSED),
        (0, "", 401, Meaning.KEYS),
    ],
)
def test_a_code_means_what_can_be_done(code: int, msg: str, status: int, meaning: Meaning) -> None:
    refusal = refused(told(None, code=code, msg=msg, status=status))
    assert refusal is not None
    assert (refusal.meaning, refusal.code, refusal.said) == (meaning, str(code or status), msg)
    assert (refusal.retry_after is not None) == (meaning is Meaning.RATE_LIMIT)


def test_a_success_is_no_refusal_and_an_unreadable_one_is_unknown() -> None:
    assert refused(told([])) is None
    for body in (b"", b"<html>", b"[]", b"{}", b'{"code":"x"}'):
        refusal = refused(Answer(200, {}, body))
        assert refusal is not None
        assert refusal.meaning is Meaning.UNKNOWN


def test_a_refusal_that_names_a_moment_is_waited_for_by_the_venues_clock() -> None:
    now = START // 1000
    words = f"frequency limit, will be unblocked after {START + 90_000}."

    def wait(date: str = "") -> float | None:
        refusal = refused(told(None, code=100410, msg=words, date=date))
        return refusal.retry_after if refusal else None

    assert wait(formatdate(now, usegmt=True)) == 90.0
    assert wait(formatdate(now + 500, usegmt=True)) == 1.0
    assert wait() == BUSY_SECONDS
    firewall = refused(Answer(403, {}, b"<html>"))
    assert firewall is not None
    assert firewall.retry_after == BLOCK_SECONDS


def test_no_code_has_two_meanings() -> None:
    assert len(CODES) == sum(len(codes.split()) for codes in CODES_OF.values())


def test_the_failures_of_an_account_do_not_show_its_keys() -> None:
    error = BINGX_ACCOUNT.failure(KEYS)(told(None, code=100413, msg=f"Incorrect apiKey {KEYS.key}"))
    assert isinstance(error, KeysRefused)
    assert not shown(str(error) + repr(error))


def test_a_key_is_hidden_wherever_a_long_refusal_is_cut() -> None:
    for length in range(LONGEST_SAID - len(KEYS.key), LONGEST_SAID + 1):
        error = BINGX_ACCOUNT.failure(KEYS)(told(None, code=100413, msg="x" * length + KEYS.key))
        assert KEYS.key[:8] not in str(error)


def test_the_demo_account_has_a_host_of_its_own() -> None:
    assert BINGX_ACCOUNT.demo_url != BINGX_ACCOUNT.base_url
    assert BINGX_ACCOUNT.acceptance.last_moment(0) >= 5_000
