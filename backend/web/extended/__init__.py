"""`/extended/v1`: market data, accounts and orders at Extended, in the words of its own interface."""
