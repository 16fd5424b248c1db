"""Binance's market streams, spot and USD-M: klines, raw or combined.

Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and
.../derivatives/usds-margined-futures/websocket-market-streams. A frame:
{"e":"kline","E":1717200002001,"s":"BTCUSDT","k":{"t":1717200000000,"T":1717200059999,"s":"BTCUSDT","i":"1m",
"f":100,"L":200,"o":"67540.01","c":"67541.00","h":"67542.00","l":"67539.90","v":"1.20","n":101,"x":false,
"q":"81048.0","V":"0.60","Q":"40524.0","B":"0"}}
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.simulator.binance_perpetual import cut
from tests.simulator.markets import Market
from tests.simulator.sockets.binance_control import SECOND, compact, heard, opened, overrun
from tests.simulator.sockets.dialect import Dialect, Heartbeat, Shown
from tests.simulator.sockets.session import Ending, Payload, Session, Topic
from tests.simulator.times import MINUTE

TRADES = 1_000_000
"""Trade ids that are set aside for a minute; the real ones count on."""


def printed(topic: Topic, shown: Shown) -> str:
    """Print a kline event. Spot has eight decimals, USD-M those of the market."""
    market, row = topic.market, shown.row
    assert market is not None
    price, lot = (8, 8) if topic.kind == "spot" else (market.price_decimals, market.volume_decimals)
    quote = min(8, price + lot)
    first = row.open_time // MINUTE * TRADES if row.trades else -1
    last = first + row.trades - 1 if row.trades else -1
    return (
        f'{{"e":"kline","E":{shown.instant},"s":"{market.symbol}","k":{{"t":{row.open_time},'
        f'"T":{shown.following - 1},"s":"{market.symbol}","i":"{topic.interval}","f":{first},"L":{last},'
        f'"o":"{cut(row.open, price)}","c":"{cut(row.close, price)}","h":"{cut(row.high, price)}",'
        f'"l":"{cut(row.low, price)}","v":"{cut(row.volume, lot)}","n":{row.trades},'
        f'"x":{"true" if shown.closing else "false"},"q":"{cut(row.quote_volume, quote)}",'
        f'"V":"{cut(row.taker_buy_volume, lot)}","Q":"{cut(row.taker_buy_quote_volume, quote)}","B":"0"}}}}'
    )


def wrapped(topic: Topic, payload: Payload) -> str:
    """Return a frame as combined connections get it."""
    return f'{{"stream":"{topic.name}","data":{payload!s}}}'


def farewell(session: Session) -> str:
    """Return the event that announces the end of a connection."""
    event = compact({"e": "serverShutdown", "E": session.clock.now()})
    return wrapped(Topic("!serverShutdown"), event) if session.combined else event


def beside(market: Market, topic: Topic) -> Topic:
    """Return the stream of another market."""
    return replace(topic, market=market, name=f"{market.symbol.lower()}@kline_{topic.interval}")


def _dialect(
    name: str, prefix: str, kind: str, cadence: int, messages: int, every: int, within: int
) -> Dialect:
    roots = (f"{prefix}ws", f"{prefix}stream")
    return Dialect(
        name=name,
        exchange="binance",
        serves=lambda path: path in roots or path.startswith(f"{prefix}ws/"),
        opened=partial(opened, kind=kind, prefix=prefix),
        heard=partial(heard, kind=kind),
        overrun=partial(overrun, most=messages),
        printed=printed,
        wrapped=wrapped,
        topic=beside,
        farewell=farewell,
        cadence=cadence,
        closing_lag=20,
        heartbeat=Heartbeat(every, within, True, lambda now: str(now).encode(), Ending(1008, "Pong timeout")),
        pushes_empty=False,
        attempts=300,
    )


SPOT = _dialect("binance.spot", "/", "spot", 2000, 5, 20 * SECOND, MINUTE)
PERPETUAL = _dialect("binance.perpetual", "/market/", "perpetual", 250, 10, 3 * MINUTE, 10 * MINUTE)
LEGACY = _dialect("binance.legacy", "/fstream-legacy/", "", 250, 10, 3 * MINUTE, 10 * MINUTE)
"""The address of USD-M before 2026: it acknowledges and stays silent."""
