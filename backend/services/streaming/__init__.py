"""Candles as they are stored, for who listens."""
