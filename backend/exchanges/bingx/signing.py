"""Signs BingX's private requests, after https://bingx-api.github.io/docs-v3 ("Signature").

Signed is the text of all parameters as they are, sorted by name, with the time (ms) and how long the request
holds; the sign is its HMAC-SHA256 in hex and the last parameter. Values are percent-encoded on the way only.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

from backend.exchanges.base import Request, Sign, Signed
from backend.trading.account_keys import Keys

RECEIVE_WINDOW = 5000
"""Ms for which a request holds. The newest documents allow no more."""


def signature(secret: str, text: str) -> str:
    """The sign of a text."""
    return hmac.digest(secret.encode(), text.encode(), hashlib.sha256).hex()


def signer(keys: Keys, *, receive_window: int | None = RECEIVE_WINDOW) -> Sign:
    """Signs requests with these keys. All that is asked stands in parameters, also of a POST."""

    def sign(request: Request, moment: int) -> Signed:
        if request.body:
            raise ValueError("BingX takes parameters and no body")
        own = {"timestamp": str(moment)}
        if receive_window is not None:
            own["recvWindow"] = str(receive_window)
        params = sorted({**request.params, **own}.items())
        text = "&".join(f"{name}={value}" for name, value in params)
        sent = "&".join(f"{name}={quote(value, safe='')}" for name, value in params)
        target = f"{request.path}?{sent}&signature={signature(keys.secret, text)}"
        return Signed(target, {"X-BX-APIKEY": keys.key})

    return sign
