"""Signatures as others work them out: tables of vectors where they are at hand, and ccxt.

Beside the folder that RECORDED_PAYLOADS names may lie texts (`*.md`) with tables of vectors: a line with
made-up keys, then rows of a name, what is signed, and the sign. They are read there, and not copied.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from backend.exchanges.base import Request
from backend.exchanges.bingx import signing as bingx
from backend.exchanges.bitget import signing as bitget
from backend.trading.account_keys import Keys
from tests.private import KEYS

FOLDER = os.environ.get("RECORDED_PAYLOADS")
MOMENT = 1_767_225_600_123
FEWEST = 5
QUOTED = re.compile(r"`([^`]*)`")


class Vector(NamedTuple):
    name: str
    keys: Keys
    cells: list[str]

    @property
    def told(self) -> list[str]:
        """What stands between quotes, cell by cell."""
        return [text for cell in self.cells for text in QUOTED.findall(cell)]


def vectors(letter: str) -> list[Vector]:
    """The vectors whose names begin with a letter."""
    texts = Path(FOLDER).parent.glob("*.md") if FOLDER else ()
    found = [vector for path in texts for vector in _read(path.read_text()) if vector.name[0] == letter]
    if len(found) < FEWEST:
        pytest.skip("no text with vectors lies beside the folder that RECORDED_PAYLOADS names")
    return found


def _read(text: str) -> Iterator[Vector]:
    keys = None
    for line in text.splitlines():
        if line.startswith("Made-up credentials:"):
            keys = Keys(*QUOTED.findall(line))
        cells = [cell.strip() for cell in line.split(" | ")]
        name = cells[0].removeprefix("| ")
        if keys and re.fullmatch(r"[A-Z]\d+", name):
            yield Vector(name, keys, cells[1:])
        if line.startswith("## "):
            keys = None


def test_bitgets_vectors_come_out() -> None:
    for vector in vectors("B"):
        moment, *parts, sign = vector.told
        method = vector.cells[1].strip()
        target, body = parts[0], parts[1] if method == "POST" else ""
        if vector.cells[2].startswith("prehash query"):
            target, body = f"{parts[1]}?{parts[0]}", ""
        assert bitget.signature(vector.keys.secret, moment + method + target + body) == sign, vector.name
        path, _, query = target.partition("?")
        params = dict(pair.split("=", 1) for pair in query.split("&")) if query else {}
        request = Request(path, params, method=method, body=body.encode())  # type: ignore[arg-type]
        assert bitget.signer(vector.keys)(request, int(moment)).headers["ACCESS-SIGN"] == sign, vector.name


def test_bingx_vectors_come_out() -> None:
    for vector in vectors("X"):
        path, text, sign = vector.told
        assert bingx.signature(vector.keys.secret, text) == sign, vector.name
        params = dict(pair.split("=", 1) for pair in text.split("&"))
        moment = int(params.pop("timestamp"))
        if list(params) == sorted(params):  # one vector has them in another order
            signed = bingx.signer(vector.keys, receive_window=None)(Request(path, params), moment)
            assert signed.target.endswith(f"&signature={sign}"), vector.name


class Bitget(ccxt.bitget):  # type: ignore[misc]
    def nonce(self) -> int:
        return MOMENT


class BingX(ccxt.bingx):  # type: ignore[misc]
    def nonce(self) -> int:
        return MOMENT


def foreign(kind: type[Any]) -> Any:
    return kind({"apiKey": KEYS.key, "secret": KEYS.secret, "password": KEYS.passphrase})


@pytest.mark.parametrize(
    "params",
    [{}, {"symbol": "BTCUSDT", "limit": "100", "productType": "USDT-FUTURES"}, {"clientOid": "a+b#c"}],
)
def test_bitget_is_signed_as_ccxt_signs(params: dict[str, str]) -> None:
    said = foreign(Bitget).sign("v2/mix/order/orders-history", ["private", "mix"], "GET", dict(params))
    signed = bitget.signer(KEYS)(Request("/api/v2/mix/order/orders-history", params), MOMENT)
    for name in ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"):
        assert signed.headers[name] == said["headers"][name]
    assert said["url"].endswith(signed.target)


@pytest.mark.parametrize("params", [{}, {"symbol": "BTC-USDT", "limit": "100", "endTime": "5"}])
def test_bingx_is_signed_as_ccxt_signs(params: dict[str, str]) -> None:
    said = foreign(BingX).sign("trade/allOrders", ["swap", "v2", "private"], "GET", dict(params))
    request = Request("/openApi/swap/v2/trade/allOrders", params)
    signed = bingx.signer(KEYS, receive_window=None)(request, MOMENT)
    assert parse_qsl(urlsplit(signed.target).query) == parse_qsl(urlsplit(said["url"]).query)
    assert signed.headers["X-BX-APIKEY"] == said["headers"]["X-BX-APIKEY"]
