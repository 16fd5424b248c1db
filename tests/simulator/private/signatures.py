"""Checks who asks, after the venues' documents and by an implementation of its own.

Bitget: https://www.bitget.com/api-doc/common/signature.
BingX: https://bingx-api.github.io/docs-v3 ("Signature").
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import parse_qsl, unquote_plus

from tests.simulator.answers import Question
from tests.simulator.private.accounts import Account, Accounts, Refused

BITGET_WINDOW = 30_000
BINGX_WINDOW = 5000
"""Ms for which a question holds."""

BLOCK = 64


def hmac_sha256(secret: str, text: str) -> bytes:
    """HMAC with SHA-256, by the formula of RFC 2104."""
    key = secret.encode()
    key = (sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in key) + text.encode()).digest()
    return sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


def bitget_sign(secret: str, moment: str, method: str, target: str, body: str = "") -> str:
    """The sign of a question; `target` is the path with the query."""
    return b64encode(hmac_sha256(secret, f"{moment}{method.upper()}{target}{body}")).decode()


def bingx_sign(secret: str, text: str) -> str:
    """The sign of parameters."""
    return hmac_sha256(secret, text).hex()


def bitget_account(question: Question, accounts: Accounts, now: int, pace: float = 1.0) -> Account:
    """The account of a question; raises Refused in the order of the venue's checks. See `_patience`."""
    headers = question.headers
    for name, code in (("key", "40001"), ("sign", "40002"), ("passphrase", "40011"), ("timestamp", "40005")):
        if not headers.get(f"access-{name}"):
            raise Refused(code, f"ACCESS_{name.upper()} cannot be empty")
    moment = headers["access-timestamp"]
    if not (moment.isascii() and moment.isdigit()):
        raise Refused("40005", "Invalid ACCESS_TIMESTAMP")
    if abs(now - int(moment)) > BITGET_WINDOW * _patience(pace):
        raise Refused("40008", "Request timestamp expired")
    account = accounts.get(headers["access-key"])
    if account is None:
        raise Refused("40037", "Apikey does not exist")
    if headers["access-passphrase"] != account.keys.passphrase:
        raise Refused("40012", "apikey/password is incorrect")
    if not _signed_for_bitget(question, account):
        raise Refused("40009", "sign signature error")
    if account.demo is not (headers.get("paptrading") == "1"):
        raise Refused("40099", "exchange environment is incorrect")
    return account


def _signed_for_bitget(question: Question, account: Account) -> bool:
    """Of a query the text is signed as it is sent, or as it is once decoded."""
    sign, moment = question.headers["access-sign"], question.headers["access-timestamp"]
    queries = {question.query, unquote_plus(question.query.replace("+", "%2B"))}
    targets = [f"{question.path}?{query}" if query else question.path for query in queries]
    body = question.body.decode()
    expected = (bitget_sign(account.keys.secret, moment, question.method, target, body) for target in targets)
    return any(compare_digest(sign, one) for one in expected)


def bingx_account(question: Question, accounts: Accounts, now: int, pace: float = 1.0) -> Account:
    """The account of a question; raises Refused in the order of the venue's checks. See `_patience`."""
    account = accounts.get(question.headers.get("x-bx-apikey", ""))
    if account is None:
        raise Refused("100413", "Incorrect apiKey, please check if the apiKey is correct")
    params = bingx_params(question)
    if not (sign := params.get("signature")):
        raise Refused("100412", "Null signature")
    pairs = [(name, value) for name, value in params.items() if name != "signature"]
    texts = ["&".join(f"{name}={value}" for name, value in order) for order in (pairs, sorted(pairs))]
    if not any(compare_digest(sign, bingx_sign(account.keys.secret, text)) for text in texts):
        raise Refused("100001", "Signature verification failed due to signature mismatch")
    moment, window = params.get("timestamp", ""), params.get("recvWindow") or str(BINGX_WINDOW)
    if not (moment.isdigit() and window.isdigit()) or not _fresh(int(moment), int(window), now, pace):
        raise Refused("100421", "Null timestamp or timestamp mismatch")
    return account


def bingx_params(question: Question) -> Mapping[str, str]:
    """The parameters in the order sent: of the query, else of a form in the body."""
    text = question.query or question.body.decode()
    return dict(parse_qsl(text, keep_blank_values=True))


def _fresh(moment: int, window: int, now: int, pace: float) -> bool:
    patience = _patience(pace)
    return -1000 * patience <= now - moment <= min(window, BINGX_WINDOW) * patience


def _patience(pace: float) -> float:
    """A question is on its way in real time. Where the venue's time hurries, it looks that much longer."""
    return max(1.0, pace)
