"""Stored candles for readers, at any interval, and what tells whether an answer is still right."""
