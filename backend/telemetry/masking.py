"""Removes secrets from texts: known secrets, and texts that look like one. Used for everything in the log.

A client may have written the text, so the time is linear in its length, and only the beginning of a long text
is read and shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
SHORTEST = 4
"""Shorter secrets are not searched: hiding each of their letters everywhere would reveal them."""

LONGEST = 16_000
"""Characters of a text that are shown."""

CUT = " ... (cut)"

_USER = re.compile(r"(?<=://)[^/\s]*(?=@)")
_PARAMETER = re.compile(
    r"(?i)([?&;](?=[^=&;?\s]*?(?:key|token|secret|passw|signature|auth))[^=&;?\s]*+=)[^&\s'\"]++"
)
_HEADER = re.compile(
    r"(?i)((?:x-api-key|authorization)['\"]?\s*+[:=]\s*+['\"]?(?:(?:bearer|basic)\s++)?)[^\s'\",)}]++"
)
_UNFINISHED_USER = re.compile(r"://[^/\s]*+\Z")


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that hides `secrets`, in any quoting, and everything that looks like a secret.

    That is: user and password in a URL, query parameters and headers whose names say so.
    """
    known = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    longest_first = sorted(known, key=len, reverse=True)
    told = re.compile("|".join(map(re.escape, longest_first))) if known else None
    edge = len(longest_first[0]) if known else 0

    def mask(text: str) -> str:
        is_cut = len(text) > LONGEST + edge
        text = text[: LONGEST + edge] if is_cut else text
        if told:
            text = told.sub(HIDDEN, text)
        if is_cut:
            text = _without_its_edge(text, edge)
        text = _USER.sub(HIDDEN, text)
        text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
        return _HEADER.sub(rf"\1{HIDDEN}", text) + (CUT if is_cut else "")

    return mask


def _without_its_edge(text: str, edge: int) -> str:
    """A cut text without its end, if that may be the start of a secret of up to `edge` characters, or a user
    and password whose "@" was cut off."""
    return _UNFINISHED_USER.sub("://", text[: len(text) - edge])


def password_in(url: str) -> str:
    """The password that stands in a URL as it is written there; empty if there is none."""
    authority = url.partition("://")[2].partition("/")[0]
    return authority.rpartition("@")[0].partition(":")[2]


def _forms(secret: str) -> set[str]:
    plain = {secret, unquote(secret)}
    return {
        form
        for text in plain
        for form in (text, quote(text, safe=""), quote_plus(text), repr(text)[1:-1], json.dumps(text)[1:-1])
    }
