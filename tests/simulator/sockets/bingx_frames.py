"""Frames of BingX's market sockets, each a gzip member.

Source: https://bingx-api.github.io/docs-v3 (Websocket Market Data). A frame of a swap (`T` is the open time),
and one of spot:
{"code":0,"dataType":"BTC-USDT@kline_1m","s":"BTC-USDT","data":[{"c":"64160.1","o":"64175.4","h":"64200.0",
"l":"64100.5","v":"1.7765","T":1702717200000}]}
{"code":0,"data":{"E":1764244387664,"K":{"T":1764244439999,"c":"3028.512","h":"3044.47000000000000000000",
"i":"1min","l":"3017.54000000000000000000","n":25,"o":"3033.88000000000000000000","q":"25.45660000000000000000",
"s":"ETH-USDT","t":1764244380000,"v":"8.40320000000000000000"},"e":"kline","s":"ETH-USDT"},
"dataType":"ETH-USDT@kline_1min","success":true}
"""

from __future__ import annotations

import gzip

from tests.simulator.bingx_spot import hyphened
from tests.simulator.decimals import fixed
from tests.simulator.markets import Market
from tests.simulator.sockets.dialect import Shown
from tests.simulator.sockets.session import Topic

PADDED = 20
"""Decimals of all numbers of a spot frame but the close."""


def packed(text: str) -> bytes:
    """Return a message as BingX sends it."""
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def swap_frame(topic: Topic, shown: Shown) -> bytes:
    """Print a swap's candle; `T` is its open time."""
    market, row = _market(topic), shown.row
    prices = {"c": row.close, "o": row.open, "h": row.high, "l": row.low}
    candle = ",".join(f'"{name}":"{fixed(price, market.price_decimals)}"' for name, price in prices.items())
    volume = fixed(row.volume, market.volume_decimals)
    return packed(
        f'{{"code":0,"dataType":"{topic.name}","s":"{hyphened(market)}",'
        f'"data":[{{{candle},"v":"{volume}","T":{row.open_time}}}]}}'
    )


def spot_frame(topic: Topic, shown: Shown) -> bytes:
    """Print a spot candle; `t` is its open time and `T` its last ms."""
    market, row = _market(topic), shown.row
    opened, high, low, volume, quote = (
        fixed(text, PADDED) for text in (row.open, row.high, row.low, row.volume, row.quote_volume)
    )
    close, symbol = fixed(row.close, market.price_decimals), hyphened(market)
    return packed(
        f'{{"code":0,"data":{{"E":{shown.instant},"K":{{"T":{shown.following - 1},"c":"{close}","h":"{high}",'
        f'"i":"{topic.interval}","l":"{low}","n":{row.trades},"o":"{opened}","q":"{quote}","s":"{symbol}",'
        f'"t":{row.open_time},"v":"{volume}"}},"e":"kline","s":"{symbol}"}},'
        f'"dataType":"{topic.name}","success":true}}'
    )


def _market(topic: Topic) -> Market:
    assert topic.market is not None
    return topic.market
