"""Binance: spot and USD-M perpetual."""
