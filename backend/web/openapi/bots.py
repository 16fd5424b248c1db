"""The venues' own interfaces and TradingView's: looser than the rest, since their documents decide. Pure.

Refusals of a venue have the venue's words. Refusals of the service itself have our own form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backend.web.openapi.codes import AT_THE_DOOR
from backend.web.openapi.parts import HEADERS, answer, answer_header, operation, query
from backend.web.server.json_schema import INTEGER, NUMBER, TEXT, Json, choice, const, listed, record
from backend.web.venues import bingx_params, bitget_params, udf_params
from backend.web.venues.binance_params import FUTURES, INDEX, KINDS, SPOT, STATUSES
from backend.web.venues.venue_parameters import END, INTERVAL, LIMIT, START, SYMBOL, ZONE, VenueParameter

OBJECT: Json = {"type": "object"}
OBJECTS = listed(OBJECT)
NOTHING: Json = {"type": "array", "maxItems": 0}
ROWS = listed({"type": "array", "items": {"type": ["string", "number", "null"]}})

BINANCE_ERROR = record({"code": INTEGER, "msg": TEXT})
BINANCE_LISTING: Json = {
    "type": "object",
    "properties": {"symbols": OBJECTS},
    "required": ["timezone", "symbols"],
}
BITGET_ERROR = record({"code": TEXT, "msg": TEXT, "requestTime": INTEGER, "data": {"type": "null"}})
UDF_ERROR = record({"s": const("error"), "errmsg": TEXT})

WORTH = {
    "X-Series": answer_header("How complete the answer is: `stored`, `incomplete` or `not stored`"),
    "X-Sync": answer_header("Result of a failed sync before the answer"),
}

CLOCK = "The service's clock"
NO_CONTRACT = "An empty list: the service stores no coin-margined contracts"
ON_THE_WAY = "An empty list: clients request it when they start"


def texts(*parameters: VenueParameter) -> list[Json]:
    """Parameters as OpenAPI describes them."""
    return [query(one.name, TEXT, one.about) for one in parameters]


KIND = query("type", choice(KINDS), "Amount of detail")
BINANCE_PARAMETERS: dict[str, Json] = {
    one["name"]: one
    for one in (
        *texts(SYMBOL, INTERVAL, START, END, LIMIT, ZONE),
        KIND,
        query("pair", TEXT, "The symbol. Needed") | {"required": True},
        query("symbols", TEXT, "Several, as a JSON list"),
        query("symbolStatus", choice(STATUSES), "Only those with this status"),
        query("permissions", TEXT, "Has no effect"),
        query("showPermissionSets", TEXT, "Has no effect"),
    )
}

Path = tuple[str, str, Sequence[Json], Json]
"""A path, what it is for, its parameters and what it answers."""


def paths() -> dict[str, Json]:
    """The paths of all venues."""
    return {
        **_paths("binance", _binance(), {"400": BINANCE_ERROR, "503": BINANCE_ERROR}),
        **_paths("bitget", _bitget(), {"400": BITGET_ERROR, "503": BITGET_ERROR}),
        **_paths("bingx", _bingx(), {}),
        **_paths("udf", _udf(), {"400": UDF_ERROR, "404": UDF_ERROR, "503": UDF_ERROR}),
        **_clock_of_udf(),
    }


def _binance() -> list[Path]:
    ticker: Json = {"anyOf": [OBJECT, OBJECTS]}
    listing, tickers = _of_binance(SPOT.listing), _of_binance(SPOT.tickers)
    prices = _of_binance(name for name in SPOT.tickers if name != KIND["name"])
    contracts = _of_binance(FUTURES.tickers)
    spot, futures = "/binance/api/v3", "/binance/fapi/v1"
    return [
        *((f"{spot}/{name}", "Candles", _of_binance(SPOT.known), ROWS) for name in ("klines", "uiKlines")),
        (f"{futures}/klines", "Candles", _of_binance(FUTURES.known), ROWS),
        (f"{futures}/markPriceKlines", "Candles of mark prices", _of_binance(FUTURES.known), ROWS),
        (f"{futures}/indexPriceKlines", "Candles of index prices", _of_binance(INDEX.known), ROWS),
        (f"{spot}/exchangeInfo", "What is stored", listing, BINANCE_LISTING),
        (f"{futures}/exchangeInfo", "What is stored", _of_binance(FUTURES.listing), BINANCE_LISTING),
        (
            "/binance/dapi/v1/exchangeInfo",
            NO_CONTRACT,
            [],
            BINANCE_LISTING,
        ),
        (f"{spot}/ticker/price", "The last stored price", prices, ticker),
        (f"{spot}/ticker/24hr", "The last stored day", tickers, ticker),
        (f"{futures}/ticker/price", "The last stored price", contracts, ticker),
        ("/binance/fapi/v2/ticker/price", "The last stored price", contracts, ticker),
        (f"{futures}/ticker/24hr", "The last stored day", contracts, ticker),
        *((f"{path}/ping", "An empty answer", [], record({})) for path in (spot, futures)),
        *((f"{path}/time", CLOCK, [], record({"serverTime": INTEGER})) for path in (spot, futures)),
    ]


def _of_binance(names: Iterable[str]) -> list[Json]:
    """The parameters that the reader of a route knows."""
    return [BINANCE_PARAMETERS[name] for name in names]


def _bitget() -> list[Path]:
    candles = texts(*bitget_params.SPOT_PARAMETERS)
    contracts = texts(*bitget_params.CONTRACT_PARAMETERS)
    root = "/bitget/api/v2"
    rows, objects = _bitget_answer(ROWS), _bitget_answer(OBJECTS)
    return [
        (f"{root}/public/time", CLOCK, [], _bitget_answer(record({"serverTime": TEXT}))),
        (f"{root}/spot/public/symbols", "What is stored", texts(SYMBOL), objects),
        (
            f"{root}/spot/public/coins",
            ON_THE_WAY,
            [],
            _bitget_answer(NOTHING),
        ),
        (
            f"{root}/margin/currencies",
            ON_THE_WAY,
            [],
            _bitget_answer(NOTHING),
        ),
        (f"{root}/spot/market/candles", "Spot candles", candles, rows),
        (f"{root}/spot/market/history-candles", "Spot candles before a time", candles, rows),
        (f"{root}/mix/market/contracts", "What is stored", texts(*bitget_params.LISTING_PARAMETERS), objects),
        (f"{root}/mix/market/candles", "Contract candles", contracts, rows),
        (f"{root}/mix/market/history-candles", "Contract candles before a time", contracts, rows),
    ]


def _bitget_answer(data: Json) -> Json:
    return record({"code": const("00000"), "msg": TEXT, "requestTime": INTEGER, "data": data})


def _bingx() -> list[Path]:
    candles = texts(*bingx_params.CANDLE_PARAMETERS)
    root = "/bingx/openApi"
    clock = record({"serverTime": INTEGER})
    rows, spot = _bingx_answer(OBJECTS), ("spot/v1/market", "spot/v2/market", "market/his/v1")
    symbols = _bingx_spot_answer(record({"symbols": OBJECTS}))
    return [
        (
            "/get-k-line-data",
            "Stored candles of BingX swaps between two dates, newest first",
            texts(*bingx_params.DATED_PARAMETERS),
            rows,
        ),
        (f"{root}/swap/v2/server/time", CLOCK, [], _bingx_answer(clock)),
        (f"{root}/swap/v2/quote/contracts", "What is stored", texts(SYMBOL), rows),
        *((f"{root}/swap/{one}/quote/klines", "Swap candles", candles, rows) for one in ("v2", "v3")),
        (
            f"{root}/cswap/v1/market/contracts",
            NO_CONTRACT,
            [],
            _bingx_answer(NOTHING),
        ),
        (f"{root}/spot/v1/server/time", CLOCK, [], _bingx_spot_answer(clock)),
        (f"{root}/spot/v1/common/symbols", "What is stored", texts(SYMBOL), symbols),
        *((f"{root}/{one}/kline", "Spot candles", candles, _bingx_spot_answer(ROWS)) for one in spot),
    ]


def _bingx_answer(data: Json) -> Json:
    """Errors have status 200 too."""
    error = record({"code": INTEGER, "msg": TEXT, "data": record({})})
    return {"anyOf": [record({"code": const(0), "msg": TEXT, "data": data}), error]}


def _bingx_spot_answer(data: Json) -> Json:
    """Errors have status 200 too."""
    error = record({"code": INTEGER, "msg": TEXT, "timestamp": INTEGER})
    right = record({"code": const(0), "msg": TEXT, "timestamp": INTEGER, "data": data})
    return {"anyOf": [right, error]}


def _udf() -> list[Path]:
    symbol = texts(udf_params.SYMBOL)
    search, history = texts(*udf_params.SEARCH_PARAMETERS), texts(*udf_params.HISTORY_PARAMETERS)
    amounts = {name: listed(NUMBER) for name in "ohlcv"}
    bars = record({"s": const("ok"), "t": listed(INTEGER)} | amounts)
    none = record({"s": const("no_data"), "nextTime": INTEGER}, optional=("nextTime",))
    return [
        ("/udf/config", "What the data feed can do", [], OBJECT),
        ("/udf/symbols", "A symbol", symbol, OBJECT),
        ("/udf/search", "Symbols that are stored", search, OBJECTS),
        ("/udf/history", "Bars of a symbol", history, {"anyOf": [bars, none]}),
    ]


def _clock_of_udf() -> dict[str, Json]:
    seconds = answer("Unix seconds", TEXT, "text/plain; charset=UTF-8")
    return {"/udf/time": {"get": operation("udf", _name("/udf/time"), CLOCK, AT_THE_DOOR | {"200": seconds})}}


def _paths(tag: str, paths: Sequence[Path], refusals: Mapping[str, Json]) -> dict[str, Json]:
    refused = {status: answer("The venue's own error", schema) for status, schema in refusals.items()}
    return {one[0]: {"get": _operation(tag, one, refused)} for one in paths}


def _operation(tag: str, one: Path, refused: Mapping[str, Json]) -> Json:
    path, summary, parameters, schema = one
    told = answer(summary, schema) | {"headers": HEADERS | WORTH}
    return operation(tag, _name(path), summary, {**AT_THE_DOOR, **refused, "200": told}, parameters)


def _name(path: str) -> str:
    """A path as one word: "/udf/history" -> "udf_history"."""
    return path.strip("/").replace("/", "_").replace("-", "_")
