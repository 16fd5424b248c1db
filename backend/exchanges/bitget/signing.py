"""Signs Bitget's private requests (v2 and v3), after https://www.bitget.com/api-doc/common/signature.

Signed is the text of timestamp (ms), method, path, "?" and the query if there is one, and the body; the
sign is its HMAC-SHA256 in base64. Of a query whose values are percent-encoded the decoded text is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from backend.exchanges.base import Request, Sign, Signed
from backend.trading.account_keys import Keys

DEMO: Mapping[str, str] = MappingProxyType({"paptrading": "1"})
"""What says that a request is for the demo account."""


def signature(secret: str, text: str) -> str:
    """The sign of a text."""
    digest = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def signer(keys: Keys, headers: Mapping[str, str] = MappingProxyType({})) -> Sign:
    """Signs requests with these keys; each has the `headers` as well."""

    def sign(request: Request, moment: int) -> Signed:
        params = sorted(request.params.items())
        query = "&".join(f"{name}={value}" for name, value in params)
        sent = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)
        mark = "?" if params else ""
        signed = f"{moment}{request.method}{request.path}{mark}{query}{request.body.decode()}"
        own = {
            "ACCESS-KEY": keys.key,
            "ACCESS-SIGN": signature(keys.secret, signed),
            "ACCESS-TIMESTAMP": str(moment),
            "ACCESS-PASSPHRASE": keys.passphrase,
            "Content-Type": "application/json",
            "locale": "en-US",
        }
        return Signed(f"{request.path}{mark}{sent}", {**own, **headers}, request.body)

    return sign
