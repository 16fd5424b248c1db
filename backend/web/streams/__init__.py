"""Candles as events: server-sent, or over a WebSocket."""
