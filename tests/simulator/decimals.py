"""Numbers as text, the way an exchange prints them."""

from __future__ import annotations


def trimmed(text: str) -> str:
    """Return a decimal without needless zeros: 12.5 for 12.50000000."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def fixed(text: str, decimals: int) -> str:
    """Return a decimal with so many places; more where the value needs them."""
    end = text.find(".") + 1 + decimals
    if decimals and decimals < end < len(text) and not text[end:].strip("0"):
        return text[:end]
    whole, _, part = trimmed(text).partition(".")
    part = part.ljust(decimals, "0")
    return f"{whole}.{part}" if part else whole


def unit(decimals: int) -> str:
    """Return the smallest step of numbers with so many places: 0.001 for 3."""
    return f"{10.0**-decimals:.{decimals}f}"
