"""Money, accounts, orders and their history. Pure."""
