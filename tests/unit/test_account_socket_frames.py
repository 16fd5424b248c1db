"""What the sockets of accounts say, and how we begin with them."""

from __future__ import annotations

import gzip
import json

import pytest

from backend.errors import MalformedAnswer
from backend.exchanges.base import Answer
from backend.exchanges.bingx.account import socket as bingx
from backend.exchanges.bingx.account.refusals import refused
from backend.exchanges.bitget.account import socket as bitget
from backend.exchanges.extended.account import socket as extended
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.exchanges.private.socket_events import Admitted, Denied, Event, Happened
from backend.exchanges.sockets import Farewell, Reply
from backend.trading.account_keys import Keys
from tests.simulator.private.running import KEYS
from tests.simulator.private.signatures import bitget_sign

BITGET: dict[str, tuple[Event, ...]] = {
    '{"event":"login","code":"0","msg":""}': (Admitted(),),
    '{"event":"login","code":0,"msg":""}': (Admitted(),),
    '{"event":"error","code":"30005","msg":"error"}': (Denied("error (30005)"),),
    '{"event":"error","code":30005,"msg":"error"}': (Denied("error (30005)"),),
    '{"event":"subscribe","arg":{"instType":"SPOT","channel":"orders","instId":"default"}}': (),
    '{"action":"snapshot","arg":{"channel":"orders"},"data":[],"ts":1767225600123}': (),
    '{"action":"update","arg":{"channel":"orders"},"data":[{"orderId":"1"}],"ts":1}': (Happened(),),
    "pong": (),
}
BINGX: dict[str, tuple[Event, ...]] = {
    "Ping": (Reply("Pong"),),
    '{"ping":"a","time":"2026-01-01T00:00:00.000+0800"}': (
        Reply('{"pong":"a","time":"2026-01-01T00:00:00.000+0800"}'),
    ),
    '{"e":"ORDER_TRADE_UPDATE","E":1,"T":1,"o":{"s":"BTC-USDT","X":"FILLED"}}': (Happened(),),
    '{"e":"ACCOUNT_UPDATE","E":1,"T":1,"a":{"m":"FUNDING_FEE","B":[],"P":[]}}': (Happened(),),
    '{"e":"ACCOUNT_CONFIG_UPDATE","E":1,"ac":{"s":"BTC-USDT","l":12}}': (Happened(),),
    '{"code":0,"dataType":"spot.executionReport","data":{"e":"executionReport","X":"NEW"}}': (Happened(),),
    '{"e":"listenKeyExpired","E":1,"listenKey":"k"}': (Farewell("its listen key has expired"),),
    '{"id":"orders","code":0,"msg":"","dataType":"","data":null}': (),
    '{"id":"orders","code":80014,"msg":"no such topic"}': (Denied("no such topic (80014)"),),
    '{"e":"SNAPSHOT","E":1}': (),
    '{"code":0,"dataType":"x","data":[1]}': (),
}


@pytest.mark.parametrize("said", BITGET)
def test_what_bitget_says(said: str) -> None:
    assert tuple(bitget.read(said)) == tuple(bitget.read(said.encode())) == BITGET[said]


@pytest.mark.parametrize("said", BINGX)
def test_what_bingx_says(said: str) -> None:
    expected = BINGX[said]
    assert tuple(bingx.read(said)) == tuple(bingx.read(gzip.compress(said.encode()))) == expected


def test_what_extended_says() -> None:
    frames: dict[str, tuple[Event, ...]] = {
        '{"type":"ORDER","data":{"orders":[{"id":1}]},"ts":1767225600123,"seq":1}': (Happened(),),
        '{"type":"TRADE","data":{"trades":[]},"ts":1767225600123,"seq":2}': (Happened(),),
        '{"type":"BALANCE","data":{"balance":{}},"ts":1767225600123,"seq":3}': (),
        '{"type":"POSITION","data":{"positions":[]},"ts":1767225600123,"seq":4}': (),
        '{"type":"SPOT_BALANCE","data":{}}': (),
    }
    for said, expected in frames.items():
        assert tuple(extended.read(said)) == tuple(extended.read(said.encode())) == expected
    assert extended.headers(Keys(*KEYS)) == {"X-Api-Key": KEYS.key}


@pytest.mark.parametrize("said", ["{", "", "[]", b"\x1f\x8b", b"\xff", '{"e":1}', '{"event":[]}'])
def test_what_is_no_frame_is_said_to_be_none(said: str | bytes) -> None:
    malformed = 0
    for read in (bitget.read, bingx.read, extended.read):
        try:
            read(said)
        except MalformedAnswer:
            malformed += 1
    assert malformed


def test_the_login_is_signed_over_the_seconds() -> None:
    message = json.loads(bitget.login(Keys(*KEYS), 1_767_225_606_999))
    assert message == {
        "op": "login",
        "args": [
            {
                "apiKey": KEYS.key,
                "passphrase": KEYS.passphrase,
                "timestamp": "1767225606",
                "sign": bitget_sign(KEYS.secret, "1767225606", "GET", "/user/verify"),
            }
        ],
    }


def test_a_listen_key_comes_without_a_code() -> None:
    answer = Answer(200, {}, b'{"listenKey":"dummy-listen-key"}')
    assert refused(answer) is None
    for socket in bingx.SOCKETS:
        assert socket.listen_key is not None
        assert socket.listen_key.parse(answer) == "dummy-listen-key"
    assert refused(Answer(200, {}, b"{}")) is not None


def test_each_kind_of_account_has_the_sockets_that_are_documented() -> None:
    found = {
        (venue.name, flavour.name): [socket.name for socket in flavour.sockets]
        for venue in PRIVATE_VENUES.values()
        for flavour in venue.flavours
    }
    assert found == {
        ("bitget", "unified"): [],
        ("bitget", "classic"): [""],
        ("bingx", "account"): ["perpetual", "spot"],
        ("extended", "account"): [""],
    }
