"""Candles that exchanges push: connections that are made again."""
