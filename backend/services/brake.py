"""How work in progress is told to stop."""

from __future__ import annotations

from backend.errors import MarketDataError


class Brake:
    """Pulled once, for a reason: the work takes nothing new on, and finishes what is in flight."""

    def __init__(self) -> None:
        self.reason: MarketDataError | None = None

    def pull(self, reason: MarketDataError) -> None:
        """Stop at the next page's edge. The first reason counts."""
        self.reason = self.reason or reason
