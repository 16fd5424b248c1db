"""The service's settings: one table, read once from the environment and `.env` into a frozen value.

This is the only reader of the environment. A value that makes no sense ends the start with a sentence that
names the variable.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote_plus, unquote, urlsplit

from dotenv import dotenv_values

from backend.access.hosts import read_names
from backend.access.keys import ApiKey, read_keys
from backend.access.networks import Network, read_networks
from backend.access.origins import read_origins
from backend.access.policy import Access
from backend.clock import parse_time
from backend.core.plan import whole_minutes
from backend.core.proxy import read_proxy
from backend.core.series import Series
from backend.errors import ConfigurationError
from backend.exchanges import EXCHANGES
from backend.exchanges.binance.archive import BASE_URL as ARCHIVE_URL
from backend.telemetry.masking import masker, password_in

ROLES = ("all", "api", "worker")
LIVE = ("sockets", "rest")
SECRET_WORDS = ("PASSWORD", "URI", "KEYS", "PROXY")
"""Values of settings with such names are never repeated."""

MONGODBS_OWN = ("admin", "local", "config")
"""Databases in which nobody keeps candles."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("console", "json")


class Setting(NamedTuple):
    """One row of the table. `read` turns text into the value or raises ValueError saying what is expected."""

    name: str
    default: str
    help: str
    read: Callable[[str], Any] = str


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise ValueError(f"give a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _number(lowest: float, highest: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        message = f"give a number above {lowest:g} and up to {highest:g}"
        try:
            value = float(text)
        except ValueError as error:
            raise ValueError(message) from error
        if not lowest < value <= highest:
            raise ValueError(message)
        return value

    return read


def _address(text: str) -> str:
    try:
        return str(ip_address(text)) if text else ""
    except ValueError as error:
        raise ValueError("give an address such as 127.0.0.1 or 0.0.0.0") from error


def _switch(text: str) -> bool:
    if text.lower() not in ("on", "off", "true", "false"):
        raise ValueError("give on or off, or true or false")
    return text.lower() in ("on", "true")


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"give one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _log_format(text: str) -> str:
    if text.lower() not in LOG_FORMATS:
        raise ValueError(f"give one of {', '.join(LOG_FORMATS)}")
    return text.lower()


def _role(text: str) -> str:
    if text.lower() not in ROLES:
        raise ValueError(f"give one of {', '.join(ROLES)}")
    return text.lower()


def _live(text: str) -> str:
    if text.lower() not in LIVE:
        raise ValueError(f"give one of {', '.join(LIVE)}")
    return text.lower()


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("give true or false")
    return text.lower() == "true"


def _followed(text: str) -> tuple[Series, ...]:
    """Read exchange:market:symbol, several with commas between them."""
    return tuple(dict.fromkeys(_series(part) for part in text.split(",") if part.strip()))


def _series(text: str) -> Series:
    exchange, _, rest = text.strip().partition(":")
    market, _, symbol = rest.partition(":")
    found = EXCHANGES[exchange].markets.get(market) if exchange in EXCHANGES else None
    if found is None:
        known = (f"{one.name}:{name}" for one in EXCHANGES.values() for name in one.markets)
        raise ValueError(
            "give series such as binance:spot:BTCUSDT, with commas between them; "
            f"markets are {', '.join(known)}"
        )
    return Series(exchange, market, found.canonical(symbol))


def _whole_minute(text: str) -> int:
    moment = parse_time(text)
    return whole_minutes(moment, moment).start


def _base_url(text: str, schemes: Sequence[str] = ("https", "http")) -> str:
    message = f"give a base URL such as {schemes[0]}://api.example.com"
    try:
        parts = urlsplit(text)
        port_is_possible = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(message) from error
    plain = not (parts.query or parts.fragment or any(character.isspace() for character in text))
    if parts.scheme not in schemes or not (parts.hostname and port_is_possible and plain):
        raise ValueError(message)
    return text.rstrip("/")


def _socket_url(text: str) -> str:
    return _base_url(text, ("wss", "ws"))


def _base_path(text: str) -> str:
    parts = text.split("/")[1:]
    if text and (f"/{'/'.join(parts)}" != text or not all(map(_is_path_part, parts)) or len(text) > 200):
        raise ValueError("give a path such as /candles, without a / at its end")
    return text


def _is_path_part(text: str) -> bool:
    plain = text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return plain and text not in (".", "..")


def _database_name(text: str) -> str:
    if not 0 < len(text.encode()) <= 63 or set(text) & set('/\\. "$*<>:|?\0'):
        raise ValueError("give a database name of 1 to 63 letters, digits, _ or -")
    return text


def _mongodb_uri(text: str) -> str:
    if text and not text.startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("give a URI that begins with mongodb:// or mongodb+srv://")
    if name := _database_in(text):
        _database_name(name)
    return text


def _database_in(uri: str) -> str:
    """The database that a URI names, "" for none. MongoDB's own say only where the user is defined."""
    name = unquote(urlsplit(uri).path.removeprefix("/"))
    return "" if name in MONGODBS_OWN else name


def _url_settings() -> Iterator[Setting]:
    """One for each base URL: markets of a venue may share theirs."""
    for exchange in EXCHANGES.values():
        for url_setting, markets in groupby(exchange.markets.values(), lambda market: market.url_setting):
            found = list(markets)
            names = " and ".join(market.name for market in found)
            yield Setting(url_setting, found[0].base_url, f"Base URL of {exchange.name} {names}.", _base_url)


def _socket_settings() -> Iterator[Setting]:
    """One for each base URL of sockets: markets of a venue may share theirs."""
    for exchange in EXCHANGES.values():
        pushed = [
            (market.socket, market.name) for market in exchange.markets.values() if market.socket is not None
        ]
        for url_setting, group in groupby(pushed, lambda pair: pair[0].url_setting):
            found = list(group)
            names = " and ".join(name for _, name in found)
            help = f"Base URL of {exchange.name} {names} candles by WebSocket."
            yield Setting(url_setting, found[0][0].base_url, help, _socket_url)


_USUAL = (
    Setting("HTTPS_PROXY", "", "Proxy to https and wss addresses, where PROXY is not set.", read_proxy),
    Setting("HTTP_PROXY", "", "Proxy to http and ws addresses, where PROXY is not set.", read_proxy),
    Setting("ALL_PROXY", "", "Proxy where none of the two above is set.", read_proxy),
    Setting("NO_PROXY", "", "Hosts that are reached without a proxy, commas between, or *."),
)
"""What other programs know too, also in small letters."""

_PROXY_SETTINGS = (
    Setting("PROXY", "", "Proxy to exchanges: an http, https, socks5 or socks5h URL, or direct.", read_proxy),
    *(
        Setting(f"{name.upper()}_PROXY", "", f"Proxy to {name} alone, or direct; wins over all.", read_proxy)
        for name in EXCHANGES
    ),
    *_USUAL,
)
_URL_SETTINGS = tuple(_url_settings())
_SOCKET_SETTINGS = tuple(_socket_settings())

SETTINGS: tuple[Setting, ...] = (
    Setting("MONGODB_URI", "", "MongoDB connection URI; wins over the parts below.", _mongodb_uri),
    Setting("MONGODB_HOST", "", "MongoDB host. Unset, and no URI: the embedded database (compose: mongodb)."),
    Setting("MONGODB_PORT", "27017", "MongoDB port.", _whole(1, 65535)),
    Setting(
        "MONGODB_DATABASE",
        "binance_data",
        "Name of the database. Unset: the one that MONGODB_URI names, if it names one.",
        _database_name,
    ),
    Setting("MONGODB_USERNAME", "", "MongoDB user (compose: required, another than root)."),
    Setting("MONGODB_PASSWORD", "", "That user's password (compose: required)."),
    Setting("MONGODB_AUTH_SOURCE", "admin", "Database in which that user is defined.", _database_name),
    Setting("DATABASE_TIMEOUT", "10", "Seconds that a database operation may take.", _number(0.01, 300)),
    Setting("DATA_DIR", "./data", "Where the embedded database keeps its files.", Path),
    Setting("SERVER_ADDRESS", "localhost", "Address to listen on (compose: 0.0.0.0)."),
    Setting("SERVER_PORT", "8888", "Port to listen on.", _whole(1, 65535)),
    Setting(
        "PUBLISHED_ADDRESS",
        "",
        "Address of the machine that compose publishes ports at (compose: 127.0.0.1).",
        _address,
    ),
    Setting("SERVER_NAMES", "", "Host names that requests may name, commas between.", read_names),
    Setting("BASE_PATH", "", "Path below which a reverse proxy serves it, such as /candles.", _base_path),
    Setting("API_KEYS", "", "Who may ask: name:key:scopes, commas between; scopes read, write.", read_keys),
    Setting("PUBLIC_READ", "false", "true: reading needs no key.", _flag),
    Setting("CORS_ORIGINS", "", "Web origins whose pages may ask, commas between, or *.", read_origins),
    Setting("ALLOWED_NETWORKS", "", "Networks that requests may come from. Unset: all.", read_networks),
    Setting("TRUSTED_PROXIES", "", "Networks of proxies whose X-Forwarded-For is believed.", read_networks),
    Setting(
        "REQUESTS_PER_MINUTE",
        "0",
        "Requests that one key or address may send a minute; 0: any number.",
        _whole(0, 1_000_000),
    ),
    Setting("ROLE", "all", "all, api (takes requests) or worker (does jobs).", _role),
    Setting("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL.", _log_level),
    Setting("LOG_FORMAT", "console", "console (for people) or json (a JSON object a line).", _log_format),
    Setting("METRICS_SERIES", "200", "Series that /metrics tells of, newest first.", _whole(0, 1000)),
    Setting(
        "SYNC_START", "2025-06-01T00:00:00Z", "Where a first sync begins: ISO-8601 or ms.", _whole_minute
    ),
    Setting("SYNC_ON_READ", "false", "Sync first what a bot's read finds missing: true, false.", _switch),
    Setting("FOLLOW", "", "Series to follow from the start: binance:spot:BTCUSDT,...", _followed),
    Setting("LIVE", "sockets", "How followed series are kept: sockets (candles are pushed) or rest.", _live),
    Setting("PAGES_IN_FLIGHT", "8", "Pages that one sync fetches side by side.", _whole(1, 64)),
    Setting("JOBS_AT_ONCE", "8", "Series that one process syncs side by side.", _whole(1, 64)),
    Setting("JOBS_QUEUED", "1000", "Jobs that may wait; beyond, requests are refused.", _whole(1, 100_000)),
    Setting(
        "LEASE_SECONDS",
        "10",
        "Seconds after which a dead process's jobs are free.",
        _number(0.1, 300),
    ),
    Setting("SETTLE_SECONDS", "2", "Seconds after a minute's end before its candle is final.", _whole(0, 59)),
    Setting("RECHECK_MINUTES", "5", "Newest stored minutes that a top-up reads once more.", _whole(0, 100)),
    Setting("REQUEST_TIMEOUT", "10", "Seconds that an exchange may take to answer.", _number(0, 300)),
    Setting("RATE_LIMIT_SHARE", "0.9", "Share of each exchange's rate limit to use.", _number(0, 1)),
    Setting("EGRESS", "", "Name of the address to exchanges; processes of one name share its rate limits."),
    *_PROXY_SETTINGS,
    *_URL_SETTINGS,
    *_SOCKET_SETTINGS,
    Setting("ARCHIVE", "on", "Whether long history comes from Binance's public archive: on or off.", _switch),
    Setting("BINANCE_ARCHIVE_URL", ARCHIVE_URL, "Base URL of Binance's public archive.", _base_url),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force; field names are the variables' in lower case."""

    mongodb_uri: str = field(repr=False)
    mongodb_host: str
    mongodb_port: int
    mongodb_database: str
    mongodb_username: str
    mongodb_password: str = field(repr=False)
    mongodb_auth_source: str
    database_timeout: float
    data_dir: Path
    server_address: str
    server_port: int
    published_address: str
    server_names: frozenset[str]
    base_path: str
    api_keys: tuple[ApiKey, ...]
    public_read: bool
    cors_origins: frozenset[str]
    allowed_networks: tuple[Network, ...]
    trusted_proxies: tuple[Network, ...]
    requests_per_minute: int
    role: Literal["all", "api", "worker"]
    log_level: str
    log_format: Literal["console", "json"]
    metrics_series: int
    sync_start: int
    sync_on_read: bool
    follow: tuple[Series, ...]
    live: Literal["sockets", "rest"]
    pages_in_flight: int
    jobs_at_once: int
    jobs_queued: int
    lease_seconds: float
    settle_seconds: int
    recheck_minutes: int
    request_timeout: float
    rate_limit_share: float
    egress: str
    proxies: Mapping[str, str] = field(repr=False)
    base_urls: Mapping[str, str]
    socket_urls: Mapping[str, str]
    archive: bool
    binance_archive_url: str

    @property
    def secrets(self) -> frozenset[str]:
        """What must never be written down: passwords, as they are and as URLs have them."""
        urls = (
            self.mongodb_uri,
            *self.proxies.values(),
            *self.base_urls.values(),
            *self.socket_urls.values(),
            self.binance_archive_url,
        )
        return frozenset((self.mongodb_password, *map(password_in, urls))) - {""}

    @property
    def access(self) -> Access:
        """Who may ask for what."""
        return Access(
            keys=self.api_keys,
            public_read=self.public_read,
            origins=self.cors_origins,
            networks=self.allowed_networks,
            proxies=self.trusted_proxies,
            requests_per_minute=self.requests_per_minute,
            names=self.server_names | {self.server_address.lower()},
        )

    @property
    def database_uri(self) -> str | None:
        """Where MongoDB is, None for the embedded one."""
        if self.mongodb_uri:
            return self.mongodb_uri
        if not self.mongodb_host:
            return None
        host = f"[{self.mongodb_host}]" if ":" in self.mongodb_host else self.mongodb_host
        if not self.mongodb_username:
            return f"mongodb://{host}:{self.mongodb_port}/"
        user = f"{quote_plus(self.mongodb_username)}:{quote_plus(self.mongodb_password)}"
        return f"mongodb://{user}@{host}:{self.mongodb_port}/?authSource={self.mongodb_auth_source}"


def load_settings(environment: Mapping[str, str | None] | None = None) -> Settings:
    """Read the table from `environment` (default: `.env` in the working folder, overruled by os.environ).

    An empty value counts as unset. Raises ConfigurationError. API_KEYS leaves os.environ: from then on only
    digests of the keys are in memory, and no child process inherits them.
    """
    if environment is None:
        environment = {**dotenv_values(".env"), **os.environ}
        os.environ.pop("API_KEYS", None)
    small = {setting.name: environment.get(setting.name.lower()) for setting in _USUAL}
    known = {**environment, **{name: value for name, value in small.items() if value}}
    values = {setting.name: _read(setting, known.get(setting.name) or "") for setting in SETTINGS}
    if bool(values["MONGODB_USERNAME"]) != bool(values["MONGODB_PASSWORD"]):
        raise ConfigurationError("MONGODB_USERNAME and MONGODB_PASSWORD go together: set both or neither")
    if not environment.get("MONGODB_DATABASE"):
        values["MONGODB_DATABASE"] = _database_in(values["MONGODB_URI"]) or values["MONGODB_DATABASE"]
    proxies = {setting.name: values.pop(setting.name) for setting in _PROXY_SETTINGS}
    urls = {setting.name: values.pop(setting.name) for setting in _URL_SETTINGS}
    sockets = {setting.name: values.pop(setting.name) for setting in _SOCKET_SETTINGS}
    rest = {name.lower(): value for name, value in values.items()}
    return Settings(proxies=proxies, base_urls=urls, socket_urls=sockets, **rest)


def _read(setting: Setting, text: str) -> Any:
    try:
        return setting.read(text or setting.default)
    except ValueError as error:
        hidden = any(word in setting.name for word in SECRET_WORDS)
        shown = "its value" if hidden else masker(())(repr(text))
        raise ConfigurationError(f"{setting.name}: {shown} does not do: {error}") from error
