"""Market data in MongoDB: candles, ledgers, jobs, follows, revisions."""
