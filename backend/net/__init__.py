"""The network edge: the only package that speaks aiohttp."""
