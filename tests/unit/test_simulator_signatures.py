"""The simulator checks who asks by code of its own; the expected signs were made with OpenSSL."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.answers import Question
from tests.simulator.private.accounts import Account, Accounts, Credentials, Refused
from tests.simulator.private.book import Book
from tests.simulator.private.signatures import (
    _fresh,
    bingx_account,
    bingx_sign,
    bitget_account,
    bitget_sign,
    hmac_sha256,
)

SECRET = "dummy-secret-of-the-vectors"
KEYS = Credentials("dummy-key", SECRET, "dummy-passphrase")
NOW = 1_767_225_600_000
HISTORY = "/api/v2/mix/order/orders-history"
QUERY = "endTime=1767225600000&limit=100&productType=USDT-FUTURES&startTime=1759449600000&symbol=BTCUSDT"
BODY = '{"symbol":"ETHUSDT","productType":"USDT-FUTURES","marginCoin":"USDT","leverage":"20"}'
DETAIL, DECODED = "/api/v2/mix/order/detail", "clientOid=svc+1#a&productType=USDT-FUTURES&symbol=BTCUSDT"
BALANCE = "/openApi/swap/v3/user/balance"


@pytest.fixture
def accounts() -> Accounts:
    return {KEYS.key: Account(KEYS, Book())}


@pytest.mark.parametrize(
    ("moment", "method", "target", "body", "sign"),
    [
        (NOW, "GET", f"{HISTORY}?{QUERY}", "", "zpDpoc8P/XeJ06awAU+lTkTpQB9y620URf/KWazeKHs="),
        (
            *(NOW + 3000, "post", "/api/v2/mix/account/set-leverage", BODY),
            "qns001K01oq7dW7aigPlAX26lKgKXRvkws1j+LqSaOA=",
        ),
        (NOW + 4000, "GET", "/api/v2/spot/account/info", "", "Qu2xB55aEmDMvvrX7CdEckKqXu5yei9vehsxZ6puPa8="),
        (NOW + 5000, "GET", f"{DETAIL}?{DECODED}", "", "DoUufE/Tvh3x2Nyg8LhPcVQjjg0Njy9T8XVVmFSwooo="),
    ],
)
def test_bitgets_signs_are_those_of_openssl(
    moment: int, method: str, target: str, body: str, sign: str
) -> None:
    assert bitget_sign(SECRET, str(moment), method, target, body) == sign


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (
            "recvWindow=5000&timestamp=1767225600000",
            "e0d6309e5a6871bcf009aa381af2a23ae6036de56c7e5515b2a02ec7a72f5d54",
        ),
        (
            "symbol=BTC-USDT&recvWindow=5000&timestamp=1767225604000",
            "170bbd29f02e441ceb9d0a5592503d08b993740295892644a9d3d3ecb9aad229",
        ),
        (
            'batchOrders=[{"symbol":"BTC-USDT","type":"LIMIT","price":65000}]&timestamp=1767225603000',
            "c87606393efa1612256fbf9b37dd2c5fa8a8ecf7575a9ee86c0fefe4e3cd10e7",
        ),
    ],
)
def test_bingxs_signs_are_those_of_openssl(text: str, sign: str) -> None:
    assert bingx_sign(SECRET, text) == sign


@given(st.text(min_size=1, max_size=200), st.text(max_size=200))
def test_the_own_hmac_is_that_of_the_standard_library(secret: str, text: str) -> None:
    secret, text = (said.encode("utf-8", "replace").decode() for said in (secret, text))
    assert hmac_sha256(secret, text) == hmac.digest(secret.encode(), text.encode(), hashlib.sha256)


def bitget_question(query: str = QUERY, *, signed: str | None = None, **headers: str) -> Question:
    """A question that is signed at NOW, with other headers where they are given."""
    sign = bitget_sign(SECRET, str(NOW), "GET", f"{HISTORY}?{query if signed is None else signed}")
    own = {
        "access-key": KEYS.key,
        "access-sign": sign,
        "access-timestamp": str(NOW),
        "access-passphrase": KEYS.passphrase,
    }
    given = {f"access-{name}": value for name, value in headers.items()}
    return Question("GET", HISTORY, headers={**own, **given}, query=query)


def test_a_query_is_signed_as_it_is_sent_or_decoded(accounts: Accounts) -> None:
    plain, encoded = "clientOid=a+b#c", "clientOid=" + quote("a+b#c", safe="")
    for signed in (plain, encoded):
        assert bitget_account(bitget_question(encoded, signed=signed), accounts, NOW).keys is KEYS


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"key": ""}, "40001"),
        ({"sign": ""}, "40002"),
        ({"passphrase": ""}, "40011"),
        ({"timestamp": ""}, "40005"),
        ({"timestamp": "now"}, "40005"),
        ({"timestamp": str(NOW - 30_001)}, "40008"),
        ({"timestamp": str(NOW + 30_001)}, "40008"),
        ({"key": "nobodys"}, "40037"),
        ({"passphrase": "wrong"}, "40012"),
        ({"timestamp": str(NOW + 1)}, "40009"),
        ({"sign": "wrong"}, "40009"),
    ],
)
def test_bitget_refuses_in_the_order_of_its_checks(
    accounts: Accounts, headers: dict[str, str], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        bitget_account(bitget_question(**headers), accounts, NOW)
    assert refused.value.code == code


def bingx_question(text: str, *, key: str = KEYS.key, signed: str | None = None) -> Question:
    sign = bingx_sign(SECRET, text if signed is None else signed)
    return Question("GET", BALANCE, headers={"x-bx-apikey": key}, query=f"{text}&signature={sign}")


def test_parameters_are_signed_as_they_are_sent_or_sorted(accounts: Accounts) -> None:
    sent = f"timestamp={NOW}&recvWindow=5000"
    for signed in (sent, f"recvWindow=5000&timestamp={NOW}"):
        assert bingx_account(bingx_question(sent, signed=signed), accounts, NOW).keys is KEYS


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (bingx_question(f"timestamp={NOW}", key="nobodys"), "100413"),
        (Question("GET", BALANCE, headers={"x-bx-apikey": KEYS.key}, query=f"timestamp={NOW}"), "100412"),
        (bingx_question(f"timestamp={NOW}", signed=f"timestamp={NOW + 1}"), "100001"),
        (bingx_question("a=b"), "100421"),
        (bingx_question(f"timestamp={NOW - 5001}"), "100421"),
        (bingx_question(f"timestamp={NOW + 1001}"), "100421"),
        (bingx_question(f"recvWindow=100&timestamp={NOW - 101}"), "100421"),
        (bingx_question(f"recvWindow=60000&timestamp={NOW - 5001}"), "100421"),
    ],
)
def test_bingx_refuses_in_the_order_of_its_checks(accounts: Accounts, question: Question, code: str) -> None:
    with pytest.raises(Refused) as refused:
        bingx_account(question, accounts, NOW)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("age", "pace", "fresh"), [(6000, 1.0, False), (6000, 20.0, True), (101_000, 20.0, False)]
)
def test_where_time_hurries_a_question_may_seem_older(age: int, pace: float, fresh: bool) -> None:
    assert _fresh(NOW - age, 5000, NOW, pace) is fresh
