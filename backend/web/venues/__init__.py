"""Read endpoints in the shape of the venues' own, served from the store: for bots that let one name a URL."""

from __future__ import annotations

from backend.services.service import Service
from backend.web.venues.binance import binance_routes
from backend.web.venues.bingx import bingx_routes
from backend.web.venues.bitget import bitget_routes
from backend.web.venues.venue_handler import Route


def venue_routes(service: Service) -> list[Route]:
    """The routes of all venues."""
    return [*binance_routes(service), *bitget_routes(service), *bingx_routes(service)]
