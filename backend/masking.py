"""Secrets out of texts: what is known to be one, and what looks like one. For everything that is logged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
SHORTEST = 4
"""A shorter secret is not looked for: hiding each of its letters everywhere would tell it."""

_USER = re.compile(r"(?<=://)[^/\s]*(?=@)")
_PARAMETER = re.compile(r"(?i)([?&;][^=&\s]*(?:key|token|secret|passw|signature|auth)[^=&\s]*=)[^&\s'\"]+")
_HEADER = re.compile(
    r"(?i)((?:x-api-key|authorization)['\"]?\s*[:=]\s*['\"]?(?:(?:bearer|basic)\s+)?)[^\s'\",)}]+"
)


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that hides `secrets`, however they were quoted, and whatever looks like a secret.

    That is: user and password in a URL, query parameters and headers whose names say so.
    """
    known = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    longest_first = sorted(known, key=len, reverse=True)
    told = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def mask(text: str) -> str:
        if told:
            text = told.sub(HIDDEN, text)
        text = _USER.sub(HIDDEN, text)
        text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
        return _HEADER.sub(rf"\1{HIDDEN}", text)

    return mask


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
