"""The venues at which accounts can be asked, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backend.exchanges.bingx.account import BINGX_ACCOUNT
from backend.exchanges.bitget.account import BITGET_ACCOUNT
from backend.exchanges.extended.account import EXTENDED_ACCOUNT
from backend.exchanges.private.venue import PrivateVenue

PRIVATE_VENUES: Mapping[str, PrivateVenue] = MappingProxyType(
    {venue.name: venue for venue in (BITGET_ACCOUNT, BINGX_ACCOUNT, EXTENDED_ACCOUNT)}
)
