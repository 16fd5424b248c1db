"""Web origins: which web pages may read answers and send changes."""

from __future__ import annotations

from urllib.parse import urlsplit

ANY = "*"


def read_origins(text: str) -> frozenset[str]:
    """Read origins, separated by commas, or `*`; ValueError says what is expected."""
    items = [item.strip() for item in text.split(",")] if text else []
    if not all(item == ANY or _is_origin(item) for item in items):
        raise ValueError("give * or origins such as https://charts.example.com, separated by commas")
    return frozenset(item.lower() for item in items)


def allowed_origin(origin: str, origins: frozenset[str]) -> str | None:
    """The value of `Access-Control-Allow-Origin` for a page of `origin`; None: no header."""
    if ANY in origins:
        return ANY
    return origin if origin.lower() in origins else None


def is_own_page(site: str | None, origin: str | None, host: str) -> bool:
    """Whether a page of the service itself asks: `Sec-Fetch-Site` says so, which no page can change; where a
    browser does not send that, `Origin` names the `host` that was asked. False where neither is there."""
    if site is not None:
        return site == "same-origin"
    try:
        return origin is not None and urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    whole = text.lower() == f"{parts.scheme}://{parts.netloc}".lower()
    return named and whole and parts.scheme in ("http", "https") and not set("@*") & set(text)
