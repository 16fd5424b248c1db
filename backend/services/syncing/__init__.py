"""Which minutes a series lacks, fetching them, and the ledger that says what is known then."""
