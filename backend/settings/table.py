"""Every setting: its name, type, default, meaning and reader, each said once.

A field of `Settings` is a setting, or a group of them that exchanges bring with them. The variable of the
environment is the field's name in capitals. `make docs` makes `.env.example` and docs/reference/settings.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote_plus

from backend.access.hosts import read_names
from backend.access.keys import ApiKey, read_keys
from backend.access.networks import Network, read_networks
from backend.access.origins import read_origins
from backend.access.policy import Access
from backend.core.series import Series
from backend.exchanges.binance.archive import BASE_URL as ARCHIVE_URL
from backend.settings import texts
from backend.settings.by_exchange import ACCOUNT_URLS, PROXIES, SOCKET_URLS, URLS, Setting
from backend.telemetry.masking import password_in

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _setting(default: str, about: str, read: Callable[[str], Any] = str, *, secret: bool = False) -> Any:
    """A field that is a setting; what is secret is not shown with the others."""
    return field(repr=not secret, metadata={"said": Setting(default, about, read)})


def _group(settings: tuple[Setting, ...], *, secret: bool = False) -> Any:
    """A field that is a mapping from the names of settings to their values."""
    return field(repr=not secret, metadata={"said": settings})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force."""

    mongodb_uri: str = _setting(
        "", "MongoDB connection URI. Wins over the parts below.", texts.mongodb_uri, secret=True
    )
    mongodb_host: str = _setting(
        "", "MongoDB host; compose sets `mongodb`. Without host and URI: the embedded database."
    )
    mongodb_port: int = _setting("27017", "MongoDB port.", texts.whole(1, 65535))
    mongodb_database: str = _setting(
        "binance_data",
        "Name of the database. Unset: the one that `MONGODB_URI` names after its hosts, such as `/candles`.",
        texts.database_name,
    )
    mongodb_username: str = _setting("", "MongoDB user. Compose needs one, with another name than root's.")
    mongodb_password: str = _setting("", "That user's password. Compose needs one.", secret=True)
    mongodb_auth_source: str = _setting(
        "admin", "Database in which that user is defined.", texts.database_name
    )
    database_timeout: float = _setting(
        "10", "Seconds that a database operation may take.", texts.number(0.01, 300)
    )
    data_dir: Path = _setting("./data", "Where the embedded database keeps its files.", Path)
    server_address: str = _setting(
        "localhost", "Address to listen on; compose sets 0.0.0.0 inside the container."
    )
    server_port: int = _setting(
        "8888", "Port to listen on; with compose, the port on this machine.", texts.whole(1, 65535)
    )
    published_address: str = _setting(
        "", "Address of this machine at which compose publishes ports (compose: 127.0.0.1).", texts.address
    )
    server_names: frozenset[str] = _setting(
        "",
        "Host names that requests may name, commas between. `localhost`, addresses and `SERVER_ADDRESS` "
        "are always taken; compose adds `backend`.",
        read_names,
    )
    base_path: str = _setting(
        "", "Path below which a reverse proxy serves it, such as `/candles`.", texts.base_path
    )
    api_keys: tuple[ApiKey, ...] = _setting(
        "",
        "Who may ask: `name:key:scopes`, commas between. Scopes are `read` and `write`, and for "
        "accounts `trade`, `funds` and `admin`, with `+` between; a key has 16 characters or more. Unset: "
        "everybody, and no accounts.",
        read_keys,
    )
    public_read: bool = _setting("false", "`true`: reading needs no key.", texts.flag)
    cors_origins: frozenset[str] = _setting(
        "", "Web origins whose pages may ask, commas between, or `*`.", read_origins
    )
    allowed_networks: tuple[Network, ...] = _setting(
        "", "Networks that requests may come from, commas between. Unset: all.", read_networks
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "", "Networks of proxies whose `X-Forwarded-For` is believed.", read_networks
    )
    requests_per_minute: int = _setting(
        "0", "Requests that one key or address may send a minute. 0: any number.", texts.whole(0, 1_000_000)
    )
    role: Literal["all", "api", "worker"] = _setting(
        "all",
        "`all`, `api` (takes requests, leaves jobs to others) or `worker` (does jobs, answers `/health` "
        "and `/metrics` only).",
        texts.one_of("all", "api", "worker"),
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL.", texts.one_of(*LOG_LEVELS))
    log_format: Literal["console", "json"] = _setting(
        "console", "`console` (for people) or `json` (a JSON object a line).", texts.one_of("console", "json")
    )
    metrics_series: int = _setting(
        "200",
        "Series that `/metrics` tells of: those asked for up to the latest moments, and as many follows. "
        "0: none.",
        texts.whole(0, 1000),
    )
    sync_start: int = _setting(
        "2025-06-01T00:00:00Z", "Where a first sync begins: ISO-8601 or milliseconds.", texts.whole_minute
    )
    sync_on_read: bool = _setting(
        "false",
        "Whether to sync first what a read through a bot's address finds missing: true or false.",
        texts.switch,
    )
    follow: tuple[Series, ...] = _setting(
        "",
        "Series to follow from the start, such as `binance:spot:BTCUSDT,bitget:perpetual:ETHUSDT`.",
        texts.followed,
    )
    live: Literal["sockets", "rest"] = _setting(
        "sockets",
        "How followed series are kept: `sockets` (exchanges push candles, requests confirm them) or "
        "`rest` (requests alone).",
        texts.one_of("sockets", "rest"),
    )
    pages_in_flight: int = _setting("8", "Pages that one sync fetches side by side.", texts.whole(1, 64))
    jobs_at_once: int = _setting("8", "Series that one process syncs side by side.", texts.whole(1, 64))
    jobs_queued: int = _setting(
        "1000", "Jobs that may wait; beyond, requests are refused with 429.", texts.whole(1, 100_000)
    )
    lease_seconds: float = _setting(
        "10",
        "Seconds after which the jobs of a process that died are free for others.",
        texts.number(0.1, 300),
    )
    settle_seconds: int = _setting(
        "2", "Seconds after a minute's end before its candle is final.", texts.whole(0, 59)
    )
    recheck_minutes: int = _setting(
        "5", "Newest stored minutes that a top-up reads once more.", texts.whole(0, 100)
    )
    request_timeout: float = _setting(
        "10", "Seconds that an exchange may take to answer.", texts.number(0, 300)
    )
    rate_limit_share: float = _setting(
        "0.9",
        "Share of each exchange's rate limit to use. The rest is for your other programs.",
        texts.number(0, 1),
    )
    egress: str = _setting(
        "",
        "Name of the address from which this process reaches exchanges. Processes of one name share its "
        "rate limits.",
    )
    proxies: Mapping[str, str] = _group(PROXIES, secret=True)
    base_urls: Mapping[str, str] = _group(URLS)
    socket_urls: Mapping[str, str] = _group(SOCKET_URLS)
    archive: bool = _setting(
        "on", "Whether long history comes from Binance's public archive: on or off.", texts.switch
    )
    binance_archive_url: str = _setting(
        ARCHIVE_URL,
        "Base URL of that archive. Where a market of Binance has another base URL than Binance's own, the "
        "archive is used only if this URL is another one too.",
        texts.base_url,
    )

    master_keys: tuple[str, ...] = _setting(
        "",
        "Keys that seal the keys of accounts, newest first, commas between; `python -m backend "
        "new-master-key` makes one. Accounts are off without it, and without `API_KEYS`.",
        texts.master_keys,
        secret=True,
    )
    master_keys_file: str = _setting("", "A file with the same, a key a line, in place of `MASTER_KEYS`.")
    allow_withdraw_keys: bool = _setting(
        "false", "`true`: accounts may have keys that may withdraw money.", texts.flag
    )
    account_visit_hours: float = _setting(
        "6", "Hours after which the history of each account is read on.", texts.number(0.01, 720)
    )
    account_urls: Mapping[str, str] = _group(ACCOUNT_URLS)

    @property
    def secrets(self) -> frozenset[str]:
        """What must never be written down: passwords, as they are and as URLs have them."""
        urls = (
            self.mongodb_uri,
            *self.proxies.values(),
            *self.base_urls.values(),
            *self.socket_urls.values(),
            *self.account_urls.values(),
            self.binance_archive_url,
        )
        return frozenset((self.mongodb_password, *self.master_keys, *map(password_in, urls))) - {""}

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


def _declared() -> Iterator[tuple[str, Setting | tuple[Setting, ...]]]:
    for one in fields(Settings):
        said = one.metadata["said"]
        yield one.name, replace(said, name=one.name.upper()) if isinstance(said, Setting) else said


DECLARED = dict(_declared())
"""What each field of `Settings` is: a setting, or a group of them."""

SETTINGS: tuple[Setting, ...] = tuple(
    setting for said in DECLARED.values() for setting in ((said,) if isinstance(said, Setting) else said)
)
"""All of them, in the order in which documents list them."""
