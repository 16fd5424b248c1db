"""Bitget: spot and USDT-M perpetual."""
