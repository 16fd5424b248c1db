"""Signed requests to venues, for accounts."""
