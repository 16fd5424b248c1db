"""What an Extended account hears by socket, after https://api.docs.extended.exchange (Account updates).

The API key in a header admits us. What there is comes first, then each change:

    {"type":"ORDER","data":{"orders":[{"id":..,"status":"FILLED",..}]},"ts":1767225600123,"seq":1}
    {"type":"TRADE","data":{"trades":[..]},"ts":1767225600123,"seq":2}

Frames of positions and balances come with each change of their price, so they are left out. What a gap in
`seq` hides is found by the next look: a frame says only that there is news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.exchanges.base import decode
from backend.exchanges.extended.market import VENUE
from backend.exchanges.private.socket_events import Event, Happened
from backend.exchanges.private.venue import AccountSocket
from backend.trading.account_keys import Keys

NEWS = ("ORDER", "TRADE")


class Frame(msgspec.Struct):
    type: str


_frame = msgspec.json.Decoder(Frame)


def headers(keys: Keys) -> Mapping[str, str]:
    return {"X-Api-Key": keys.key}


def read(sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    text = sent.encode(errors="replace") if isinstance(sent, str) else sent
    return (Happened(),) if decode(_frame, text, VENUE).type in NEWS else ()


SOCKET = AccountSocket(
    name="",
    base_url="wss://api.starknet.extended.exchange",
    demo_url="wss://api.starknet.sepolia.extended.exchange",
    path="/stream.extended.exchange/v1/account",
    read=read,
    headers=headers,
    heartbeat=20.0,
    quiet_after=23 * 3600.0,
    life=23 * 3600.0,
)
