"""Self-hosted market data: one-minute candles, complete and provable, on Tornado and MongoDB."""

__version__ = "0.1.0"
