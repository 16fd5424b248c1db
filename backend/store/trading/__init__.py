"""Accounts with their sealed keys, and their histories, in MongoDB."""
