"""Long hostile texts, and every place of the service where a text from outside meets a pattern.

`python -m tests.hostile` feeds all of them to each place under a limit of processor time: the system kills it
where time grows with the square of a text's length, or worse.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, RequestStartLine

from backend.access.hosts import is_ours, read_names
from backend.access.keys import read_keys
from backend.access.networks import client_address, read_networks
from backend.access.origins import allowed_origin, read_origins
from backend.clock import SystemClock, parse_time
from backend.core.cursors import parse_cursors
from backend.core.interval import parse_interval
from backend.core.series import canonical_symbol
from backend.core.symbol_pair import split_symbol
from backend.errors import MarketDataError
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Answer, excerpt, whole_number
from backend.exchanges.binance.archive import belongs_to, checksum_of, named
from backend.telemetry.logs import LogFormat, formatter
from backend.telemetry.masking import masker
from backend.web.server import parameters
from backend.web.server.handler import is_length
from backend.web.server.negotiation import accepted_coding, accepted_format
from backend.web.server.ranges import part
from backend.web.server.sessions import Sessions
from backend.web.server.tracing import request_id
from backend.web.venues import binance_params, bingx_params, bitget_params
from backend.web.venues.udf_params import history
from backend.web.venues.venue_handler import VenueRefusal, natural

LENGTH = 64_000
SECONDS = 15
"""Of processor time that a place may take for all texts."""

PIECES = (
    *("?key", "a=a=", "?a=b&", "[", "{", '{"a":', '"', "\\", "/", ":", "://", "@", "://a@", ",", ";q=", ";"),
    *(
        " ",
        "\t",
        "\n",
        "9",
        "-9",
        "\u0663",
        "\u00b2",
        "%FF",
        "%",
        "+",
        "-",
        "-1m-",
        ".",
        "a",
        "A-",
        "a:b+",
        "key",
    ),
    *(
        "authorization",
        "authorization: ",
        "bearer ",
        "x-api-key=",
        "until ",
        "until 1",
        "0:",
        "00:00:00.",
        "P1",
    ),
    *("1M", "2000-01-01T", "api.", "f" * 64 + " ", "\u212a", "\x00", "token", "?token=", "1-"),
)
"""What hostile texts repeat."""

BEGINNINGS = ("", "?key", "://", "authorization: bearer", "x-api-key", "00:00:00.", "until 1", "P", "-", ":")
"""How they begin."""

START_LINE = RequestStartLine("GET", "/", "HTTP/1.1")
SECRETS = ("aaaaaaaab", "key?key?key", "hunter2 s/3@c:ret")


def texts() -> Iterator[str]:
    """Every beginning with every piece, LENGTH characters each."""
    for beginning in BEGINNINGS:
        for piece in PIECES:
            yield (beginning + piece * (LENGTH // len(piece) + 1))[:LENGTH]


def _log_line(style: LogFormat) -> Callable[[str], object]:
    made = formatter(style, masker(SECRETS))

    def write(text: str) -> str:
        record = logging.LogRecord("tornado.general", logging.WARNING, "", 0, "%s: %r", (text, text), None)
        return made.format(record)

    return write


def _refusals(text: str) -> None:
    """A venue's refusal whose message is the text, as each of them would write it."""
    body = b'{"code":"%s","status":"ERROR","msg":"%s","error":{"code":1,"message":"%s"}}'
    said = text.translate({ord('"'): None, ord("\\"): None, ord("\n"): None, ord("\t"): None, 0: None})
    for code in (b"-1", b"100"):
        filled = body.replace(b'"%s"', code, 1) % (said.encode(), said.encode())
        for exchange in EXCHANGES.values():
            for market in exchange.markets.values():
                for status in (400, 418, 429, 500):
                    market.failure(Answer(status, {"date": text, "retry-after": text}, filled))


def _venues(text: str) -> None:
    query = {
        name: [text]
        for name in (
            "symbol",
            "interval",
            "startTime",
            "endTime",
            "limit",
            "timeZone",
            "granularity",
            "symbols",
        )
    }
    rules = binance_params
    for name in query:
        usual = {"symbol": ["BTCUSDT"], "interval": ["1m"], "granularity": ["1min"]}
        asked = usual | {name: [text]}
        with suppress(VenueRefusal):
            rules.klines(asked, rules.SPOT)
        with suppress(VenueRefusal):
            rules.named_symbols({name: [text]}, ("symbol", "symbols"), strict=True)
        with suppress(VenueRefusal):
            bitget_params.candles(asked, bitget_params.Endpoint(bitget_params.SPOT, 1000, history=False), 0)
        with suppress(VenueRefusal):
            bingx_params.candles(asked, bingx_params.SPOT, lambda *said: VenueRefusal({"msg": said}))


def _udf(text: str) -> None:
    usual = {"from": ["1"], "to": ["2"], "resolution": ["1"]}
    for name in usual:
        with suppress(VenueRefusal):
            history(usual | {name: [text]})


def _session(text: str) -> None:
    """As a whole `Cookie` header, and as the value of our own cookie."""
    sessions = Sessions(read_keys("bot:reader-0123456789:read"), SystemClock())
    for cookie in (text, f"session={text}", f'session="{text}"', f"session=2|1:0|{text}"):
        with suppress(HTTPInputError):
            headers = HTTPHeaders({"Cookie": cookie, "Host": "localhost"})
            sessions.of(HTTPServerRequest(start_line=START_LINE, headers=headers))


PLACES: dict[str, Callable[[str], object]] = {
    "masker": masker(SECRETS),
    "console log line": _log_line("console"),
    "JSON log line": _log_line("json"),
    "time": parse_time,
    "whole number": lambda text: parameters.Values({"limit": text})[parameters.whole("limit", "?")],
    "body": lambda text: parameters.json_object(text.encode()),
    "unknown parameters": lambda text: parameters.only_known(text.split("=")[:1000], ()),
    "request id": lambda text: request_id({"X-Request-Id": text}),
    "content length": is_length,
    "accept": lambda text: (accepted_format(text), accepted_coding(text)),
    "origin": lambda text: (allowed_origin(text, frozenset({"https://a.example"})), read_origins(text)),
    "forwarded": lambda text: client_address("10.0.0.1", text, read_networks("10.0.0.0/8")),
    "keys": read_keys,
    "symbol": lambda text: split_symbol(canonical_symbol(text, "-")),
    "halves": split_symbol,
    "interval": parse_interval,
    "cursors": lambda text: parse_cursors(text, "00000000", 1),
    "UDF": _udf,
    "venues' parameters": _venues,
    "natural number": natural,
    "refusals": _refusals,
    "whole header": whole_number,
    "excerpt": excerpt,
    "archive's host": lambda text: belongs_to(f"https://{text}"),
    "archive's checksum": lambda text: checksum_of(text.encode(), "a.zip"),
    "archive's file": named,
    "host": lambda text: (is_ours(text, frozenset({"a.example"})), read_names(text)),
    "range": lambda text: part(text, LENGTH),
    "session": _session,
}

MEETS = {
    "backend/access/keys.py:_NAME": "keys",
    "backend/access/keys.py:_KEY": "keys",
    "backend/access/hosts.py:_NAME": "host",
    "backend/access/hosts.py:_HOST": "host",
    "backend/web/server/ranges.py:_ONE": "range",
    "backend/clock.py:_OFFSET_AFTER_SPACE": "time",
    "backend/clock.py:parse_time": "time",
    "backend/core/cursors.py:_TEXT": "cursors",
    "backend/core/interval.py:_PLAIN": "interval",
    "backend/core/interval.py:_ISO": "interval",
    "backend/core/interval.py:_number_and_unit": "interval",
    "backend/core/symbol_pair.py:_SEPARATOR": "halves",
    "backend/core/series.py:_SYMBOL": "symbol",
    "backend/core/series.py:_SEPARATORS": "symbol",
    "backend/core/series.py:_SETTLEMENT": "symbol",
    "backend/exchanges/base.py:whole_number": "whole header",
    "backend/exchanges/binance/market.py:_ban_seconds": "refusals",
    "backend/exchanges/binance/archive.py:_OWN_HOST": "archive's host",
    "backend/exchanges/binance/archive.py:_LINE": "archive's checksum",
    "backend/exchanges/binance/archive.py:_NAMED": "archive's file",
    "backend/telemetry/masking.py:_USER": "masker",
    "backend/telemetry/masking.py:_PARAMETER": "masker",
    "backend/telemetry/masking.py:_HEADER": "masker",
    "backend/telemetry/masking.py:_UNFINISHED_USER": "masker",
    "backend/telemetry/masking.py:masker": "masker",
    "backend/web/server/handler.py:_LENGTH": "content length",
    "backend/web/server/parameters.py:whole": "whole number",
    "backend/web/server/tracing.py:_SANE": "request id",
    "backend/web/venues/udf_params.py:_SECONDS": "UDF",
    "backend/web/venues/venue_handler.py:_NATURAL": "natural number",
    "backend/web/venues/binance_params.py:_SYMBOL": "venues' parameters",
    "backend/web/venues/binance_params.py:_NUMBER": "venues' parameters",
    "backend/web/venues/binance_params.py:_CLOCK": "venues' parameters",
    "backend/web/venues/bingx_params.py:_HOURS": "venues' parameters",
    "backend/web/venues/bitget_params.py:_SYMBOL": "venues' parameters",
}
"""Every pattern of the service, by file and name, and the place at which texts from outside meet it."""


def main() -> None:
    """Feed every text to every place, which may refuse it; say the name of each place first."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    for place, meet in PLACES.items():
        print(place, flush=True)
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + SECONDS, most))
        for text in texts():
            with suppress(MarketDataError, ValueError, VenueRefusal):
                meet(text)


if __name__ == "__main__":
    main()
