"""The keys of an account. Neither `str` nor `repr` shows any part of them."""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN = "***"
LONGEST_KEY = 512


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of an account. Neither `str` nor `repr` shows any part of them."""

    key: str
    secret: str
    passphrase: str = ""

    def __post_init__(self) -> None:
        parts = (self.key, self.secret, self.passphrase or "none")
        if not all(0 < len(part) <= LONGEST_KEY and part.isascii() and part.isprintable() for part in parts):
            raise ValueError("a key, secret or passphrase is empty, too long, or not printable ASCII")

    def __repr__(self) -> str:
        return f"Keys({HIDDEN})"

    def hidden_in(self, text: str) -> str:
        """The text without the keys: a venue may repeat them in a refusal."""
        for part in sorted(filter(None, (self.key, self.secret, self.passphrase)), key=len, reverse=True):
            text = text.replace(part, HIDDEN)
        return text
