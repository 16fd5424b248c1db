"""Every setting: its name, type, default, meaning and reader, each in one place.

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
from backend.settings.by_exchange import (
    ACCOUNT_SOCKET_URLS,
    ACCOUNT_URLS,
    PROXIES,
    SOCKET_URLS,
    URLS,
    Setting,
)
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
        "",
        "MongoDB connection URI. It replaces host, port, user, password and authentication source below.",
        texts.mongodb_uri,
        secret=True,
    )
    mongodb_host: str = _setting(
        "",
        "MongoDB host; compose sets `mongodb`. Without host and URI the service uses the embedded database.",
    )
    mongodb_port: int = _setting("27017", "MongoDB port.", texts.whole(1, 65535))
    mongodb_database: str = _setting(
        "binance_data",
        "Name of the database. Unset: the name in `MONGODB_URI` after the hosts, such as `/candles`.",
        texts.database_name,
    )
    mongodb_username: str = _setting(
        "", "MongoDB user. Compose needs one, and it must differ from root's name."
    )
    mongodb_password: str = _setting("", "Password of that user. Compose needs one.", secret=True)
    mongodb_auth_source: str = _setting("admin", "Database that defines that user.", texts.database_name)
    database_timeout: float = _setting(
        "10", "Longest time of a database operation, in seconds.", texts.number(0.01, 300)
    )
    data_dir: Path = _setting("./data", "Folder of the embedded database's files.", Path)
    server_address: str = _setting(
        "localhost", "Address to listen on; compose sets 0.0.0.0 inside the container."
    )
    server_port: int = _setting(
        "8888", "Port to listen on; with compose, the port on this machine.", texts.whole(1, 65535)
    )
    published_address: str = _setting(
        "", "Address of this machine on which compose publishes ports (compose: 127.0.0.1).", texts.address
    )
    server_names: frozenset[str] = _setting(
        "",
        "Host names of the service, separated by commas. `localhost`, addresses and `SERVER_ADDRESS` "
        "are always valid; compose adds `backend`.",
        read_names,
    )
    base_path: str = _setting(
        "", "Path of the service behind a reverse proxy, such as `/candles`.", texts.base_path
    )
    api_keys: tuple[ApiKey, ...] = _setting(
        "",
        "API keys: `name:key:scopes`, separated by commas. Scopes are `read` and `write`, and for "
        "accounts `trade`, `funds` and `admin`, joined by `+`. A key has 16 characters or more. Unset: "
        "everybody may send requests, and accounts are off.",
        read_keys,
    )
    public_read: bool = _setting("false", "`true`: a read needs no key.", texts.flag)
    cors_origins: frozenset[str] = _setting(
        "", "Web origins whose pages may use the API, separated by commas, or `*`.", read_origins
    )
    allowed_networks: tuple[Network, ...] = _setting(
        "", "Networks of allowed clients, separated by commas. Unset: all.", read_networks
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "", "Networks of your proxies. The service trusts their `X-Forwarded-For`.", read_networks
    )
    requests_per_minute: int = _setting(
        "0", "Requests that one key or address may send in a minute. 0: no limit.", texts.whole(0, 1_000_000)
    )
    role: Literal["all", "api", "worker"] = _setting(
        "all",
        "`all`, `api` (answers requests, runs no jobs) or `worker` (runs jobs, answers only `/health` "
        "and `/metrics`).",
        texts.one_of("all", "api", "worker"),
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL.", texts.one_of(*LOG_LEVELS))
    log_format: Literal["console", "json"] = _setting(
        "console",
        "`console` (for people) or `json` (one JSON object for each line).",
        texts.one_of("console", "json"),
    )
    metrics_series: int = _setting(
        "200",
        "Number of series in `/metrics`, those with the latest requested end first, and as many follows. "
        "0: none.",
        texts.whole(0, 1000),
    )
    sync_start: int = _setting(
        "2025-06-01T00:00:00Z", "Start of a first sync: ISO-8601 or milliseconds.", texts.whole_minute
    )
    sync_on_read: bool = _setting(
        "false",
        "`true`: if a read through a bot's address misses minutes, the service syncs them first.",
        texts.switch,
    )
    follow: tuple[Series, ...] = _setting(
        "",
        "Series to follow when the service starts, such as `binance:spot:BTCUSDT,bitget:perpetual:ETHUSDT`.",
        texts.followed,
    )
    live: Literal["sockets", "rest"] = _setting(
        "sockets",
        "Source of followed candles: `sockets` (exchanges push candles, requests confirm them) or "
        "`rest` (requests only).",
        texts.one_of("sockets", "rest"),
    )
    pages_in_flight: int = _setting("8", "Pages that one sync fetches side by side.", texts.whole(1, 64))
    jobs_at_once: int = _setting("8", "Series that one process syncs side by side.", texts.whole(1, 64))
    jobs_queued: int = _setting(
        "1000", "Jobs that may wait. Beyond this number the service answers 429.", texts.whole(1, 100_000)
    )
    lease_seconds: float = _setting(
        "10",
        "Seconds until other processes take over the jobs of a dead process.",
        texts.number(0.1, 300),
    )
    settle_seconds: int = _setting(
        "2", "Seconds from the end of a minute until its candle is final.", texts.whole(0, 59)
    )
    recheck_minutes: int = _setting(
        "5", "Newest stored minutes that each sync to the present reads once more.", texts.whole(0, 100)
    )
    request_timeout: float = _setting(
        "10", "Longest time of an exchange's answer, in seconds.", texts.number(0, 300)
    )
    rate_limit_share: float = _setting(
        "0.9",
        "Share of each exchange's rate limit to use. The rest is for your other programs.",
        texts.number(0, 1),
    )
    egress: str = _setting(
        "",
        "Name of the IP address that exchanges see. Processes with the same name share its rate limits.",
    )
    proxies: Mapping[str, str] = _group(PROXIES, secret=True)
    base_urls: Mapping[str, str] = _group(URLS)
    socket_urls: Mapping[str, str] = _group(SOCKET_URLS)
    rollup_memory: int = _setting(
        "64",
        "MiB of memory for candles of an hour that were made before. Charts over years use them. 0: none.",
        texts.whole(0, 65_536),
    )
    archive: bool = _setting(
        "on",
        "`on`: long history comes from Binance's public archive. `off`: only from the API.",
        texts.switch,
    )
    binance_archive_url: str = _setting(
        ARCHIVE_URL,
        "Base URL of that archive. If you change the base URL of a Binance market, the service uses the "
        "archive only if you change this URL too.",
        texts.base_url,
    )

    master_keys: tuple[str, ...] = _setting(
        "",
        "Keys that seal the keys of accounts, newest first, separated by commas. `python -m backend "
        "new-master-key` makes one. Without it, or without `API_KEYS`, accounts are off.",
        texts.master_keys,
        secret=True,
    )
    master_keys_file: str = _setting("", "File with these keys, one on each line, instead of `MASTER_KEYS`.")
    allow_withdraw_keys: bool = _setting(
        "false", "`true`: the service accepts keys that may withdraw money.", texts.flag
    )
    live_trading: bool = _setting(
        "false", "`true`: the service may place orders of live accounts.", texts.flag
    )
    account_visit_hours: float = _setting(
        "6", "Hours between two reads of each account's history.", texts.number(0.01, 720)
    )
    account_watch_seconds: float = _setting(
        "60",
        "Seconds between two looks at each account: open orders, positions, wallets, and what was done. "
        "While somebody listens to `/stream/account` it is 2. `0`: none.",
        texts.number(0, 3600),
    )
    account_sockets: bool = _setting(
        "true",
        "`false`: the service does not listen to the sockets of accounts. It then sees at the next look what "
        "is done elsewhere.",
        texts.flag,
    )
    webhook_addresses: tuple[Network, ...] = _setting(
        "52.89.214.238,34.212.75.30,54.218.53.128,52.32.178.7",
        "Networks that may send alarms to `/webhook`, separated by commas: those of TradingView. "
        "`0.0.0.0/0,::/0`: all.",
        read_networks,
    )
    notify_url: str = _setting(
        "", "URL that gets a JSON POST of what a person must know.", texts.notify_url, secret=True
    )
    notify_telegram_token: str = _setting(
        "", "Token of a Telegram bot that tells the same.", texts.telegram_token, secret=True
    )
    notify_telegram_chat: str = _setting("", "The chat that the bot tells it to.", texts.telegram_chat)
    notify_telegram_url: str = _setting(
        "https://api.telegram.org", "Base URL of the bot's interface.", texts.account_url
    )
    notify_smtp: str = _setting(
        "",
        "Mail server that sends the same, such as `smtps://user:password@mail.example.com`.",
        texts.smtp_url,
        secret=True,
    )
    notify_email_from: str = _setting("", "Sender of these e-mails.", texts.email)
    notify_email_to: str = _setting("", "Receiver of these e-mails.", texts.email)
    account_urls: Mapping[str, str] = _group(ACCOUNT_URLS)
    account_socket_urls: Mapping[str, str] = _group(ACCOUNT_SOCKET_URLS)

    @property
    def secrets(self) -> frozenset[str]:
        """What must never be written down: passwords, as they are and as URLs have them."""
        urls = (
            self.mongodb_uri,
            *self.proxies.values(),
            *self.base_urls.values(),
            *self.socket_urls.values(),
            *self.account_urls.values(),
            *self.account_socket_urls.values(),
            self.binance_archive_url,
            self.notify_smtp,
        )
        told = (self.notify_url, self.notify_telegram_token)
        return frozenset((self.mongodb_password, *self.master_keys, *told, *map(password_in, urls))) - {""}

    @property
    def accounts_are_on(self) -> bool:
        """Whether the service may hold accounts: with keys that seal theirs, and keys that let people in."""
        return bool(self.master_keys and self.api_keys)

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
            alarm_networks=self.webhook_addresses,
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
"""The setting, or the group of settings, of each field of `Settings`."""

SETTINGS: tuple[Setting, ...] = tuple(
    setting for said in DECLARED.values() for setting in ((said,) if isinstance(said, Setting) else said)
)
"""All of them, in the order in which documents list them."""
