"""The exchanges' public candle WebSockets, written from their documents; all on the simulator's one port.

| path | whose |
| --- | --- |
| `/ws`, `/ws/<stream>/<stream>`, `/stream?streams=<stream>/<stream>` | Binance spot |
| `/market/ws...`, `/market/stream...` | Binance USD-M perpetuals |
| `/fstream-legacy/ws...`, `/fstream-legacy/stream...` | Binance USD-M before 2026: it stays silent |
| `/v2/ws/public` | Bitget, spot and contracts |
| `/market` | BingX spot |
| `/swap-market` | BingX perpetual swaps |

All times are those of the simulator's clock: cadence, heartbeats, limits, the end of a life. A candle grows
as the REST interface shows it. Its last frame comes just after its end, whatever the speed. When the clock
was set beyond the following candle, what lies between is not replayed. Frames show candles as they traded:
revisions are seen by REST (and in Bitget's snapshots) alone.

Not documented, so choices: the close codes, the cadence of BingX (a second; one push in a minute without
trades), the status of refused handshakes (429), and that Binance and BingX push the present state of a topic
as soon as it is subscribed to.
"""
