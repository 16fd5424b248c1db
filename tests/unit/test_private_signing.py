"""What is signed is what is sent, byte for byte; signatures agree with foreign ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from backend.exchanges.base import Request, Sign
from backend.exchanges.bingx import signing as bingx
from backend.exchanges.bitget import signing as bitget
from tests.private import KEYS, shown

MOMENTS = st.integers(10**12, 2 * 10**12)
PLAIN = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.~", min_size=1, max_size=12)
ANY = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
BODIES = st.one_of(st.just(b""), st.dictionaries(PLAIN, PLAIN).map(lambda body: repr(body).encode()))


def by_hand(text: str) -> bytes:
    return hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()


@given(st.dictionaries(PLAIN, PLAIN, max_size=5), MOMENTS, BODIES, st.sampled_from(["GET", "POST"]))
def test_bitget_signs_the_target_to_the_letter(
    params: dict[str, str], moment: int, body: bytes, method: str
) -> None:
    request = Request("/api/v2/mix/order/detail", params, method=method, body=body)  # type: ignore[arg-type]
    signed = bitget.signer(KEYS)(request, moment)
    text = f"{moment}{method}{signed.target}{body.decode()}"
    assert signed.headers["ACCESS-SIGN"] == base64.b64encode(by_hand(text)).decode()
    assert signed.body is body
    assert signed.target.endswith("?") is False


@given(st.dictionaries(ANY, ANY, max_size=5), MOMENTS)
def test_bitget_signs_the_decoded_query_and_sends_it_encoded(params: dict[str, str], moment: int) -> None:
    request = Request("/api/v2/mix/order/detail", params)
    signed = bitget.signer(KEYS)(request, moment)
    text = f"{moment}GET{unquote(signed.target)}"
    assert signed.headers["ACCESS-SIGN"] == base64.b64encode(by_hand(text)).decode()
    assert dict(parse_qsl(urlsplit(signed.target).query, keep_blank_values=True)) == params
    assert (
        str(URL("http://127.0.0.1:1" + signed.target, encoded=True)) == "http://127.0.0.1:1" + signed.target
    )


@pytest.mark.parametrize("sign", [bitget.signer(KEYS), bingx.signer(KEYS)], ids=["bitget", "bingx"])
@given(params=st.dictionaries(PLAIN, PLAIN, min_size=2, max_size=5), moment=MOMENTS)
def test_the_order_of_parameters_changes_nothing(sign: Sign, params: dict[str, str], moment: int) -> None:
    turned = dict(reversed(params.items()))
    one, other = (sign(Request("/x", said), moment) for said in (params, turned))
    assert one == other


@given(st.dictionaries(PLAIN, PLAIN, max_size=5), MOMENTS, st.sampled_from(["GET", "POST", "DELETE"]))
def test_bingx_signs_the_query_to_the_letter(params: dict[str, str], moment: int, method: str) -> None:
    request = Request("/openApi/swap/v2/trade/order", params, method=method)  # type: ignore[arg-type]
    signed = bingx.signer(KEYS)(request, moment)
    path, _, query = signed.target.partition("?")
    text, _, signature = query.rpartition("&signature=")
    assert (path, signature) == (request.path, by_hand(text).hex())
    names = [pair.partition("=")[0] for pair in text.split("&")]
    assert names == sorted(names)
    assert dict(parse_qsl(text)) == {**params, "timestamp": str(moment), "recvWindow": "5000"}
    assert signed.headers == {"X-BX-APIKEY": KEYS.key}


@given(st.dictionaries(PLAIN, ANY, max_size=5), MOMENTS)
def test_bingx_signs_the_values_as_they_are_and_sends_them_encoded(
    params: dict[str, str], moment: int
) -> None:
    signed = bingx.signer(KEYS)(Request("/openApi/swap/v2/trade/order", params), moment)
    query, _, signature = urlsplit(signed.target).query.rpartition("&signature=")
    assert signature == by_hand("&".join(f"{name}={value}" for name, value in parse_qsl(query))).hex()
    assert URL(f"http://venue{signed.target}", encoded=True).raw_path_qs == signed.target


def test_bingx_takes_no_body() -> None:
    with pytest.raises(ValueError, match="no body"):
        bingx.signer(KEYS)(Request("/x", method="POST", body=b"{}"), 1)


def test_bitget_says_who_asks_and_when_in_headers() -> None:
    signed = bitget.signer(KEYS)(Request("/api/v2/spot/account/info"), 1_700_000_000_123)
    assert signed.target == "/api/v2/spot/account/info"
    assert signed.headers["ACCESS-KEY"] == KEYS.key
    assert signed.headers["ACCESS-PASSPHRASE"] == KEYS.passphrase
    assert signed.headers["ACCESS-TIMESTAMP"] == "1700000000123"
    assert "paptrading" not in signed.headers
    assert bitget.signer(KEYS, bitget.DEMO)(Request("/x"), 1).headers["paptrading"] == "1"


@pytest.mark.parametrize("sign", [bitget.signer(KEYS), bingx.signer(KEYS)], ids=["bitget", "bingx"])
def test_nothing_that_is_signed_shows_the_keys(sign: Sign) -> None:
    request = Request("/x", {"a": "b"}, sign=sign)
    signed = sign(request, 1)
    assert not shown(repr(request) + repr(sign) + repr(signed))
    assert shown(str(signed.headers))  # so a text that did would be seen
