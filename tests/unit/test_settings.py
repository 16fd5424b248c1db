"""Settings: defaults, where values come from, and refusals that name the variable."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.uri_parser import parse_uri

from backend.access.networks import read_networks
from backend.clock import parse_time
from backend.errors import ConfigurationError, RegionBlocked
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Answer
from backend.settings import LOG_LEVELS, SETTINGS, Settings, load_settings

SECRET = "hunter2-s3cret-hunter2"
MASTER_KEY = urlsafe_b64encode(b"dummy master key of the tests 32").decode()

DEFAULTS: dict[str, object] = {
    "mongodb_uri": "",
    "mongodb_host": "",
    "mongodb_port": 27017,
    "mongodb_database": "binance_data",
    "mongodb_username": "",
    "mongodb_password": "",
    "mongodb_auth_source": "admin",
    "database_timeout": 10.0,
    "data_dir": Path("data"),
    "server_address": "localhost",
    "server_port": 8888,
    "published_address": "",
    "api_keys": (),
    "public_read": False,
    "cors_origins": frozenset(),
    "allowed_networks": (),
    "trusted_proxies": (),
    "requests_per_minute": 0,
    "log_level": "INFO",
    "log_format": "console",
    "metrics_series": 200,
    "sync_start": parse_time("2025-06-01T00:00:00Z"),
    "follow": (),
    "live": "sockets",
    "pages_in_flight": 8,
    "settle_seconds": 2,
    "recheck_minutes": 5,
    "request_timeout": 10.0,
    "rate_limit_share": 0.9,
    "base_urls": {
        "BINANCE_SPOT_URL": "https://api.binance.com",
        "BINANCE_PERPETUAL_URL": "https://fapi.binance.com",
        "BITGET_URL": "https://api.bitget.com",
        "BINGX_URL": "https://open-api.bingx.com",
        "EXTENDED_URL": "https://api.starknet.extended.exchange/api/v1",
    },
    "socket_urls": {
        "BINANCE_SPOT_WS_URL": "wss://stream.binance.com:9443",
        "BINANCE_PERPETUAL_WS_URL": "wss://fstream.binance.com",
        "BITGET_WS_URL": "wss://ws.bitget.com",
        "BINGX_SPOT_WS_URL": "wss://open-api-ws.bingx.com",
        "BINGX_PERPETUAL_WS_URL": "wss://open-api-swap.bingx.com",
    },
    "master_keys": (),
    "master_keys_file": "",
    "allow_withdraw_keys": False,
    "live_trading": False,
    "account_visit_hours": 6.0,
    "account_watch_seconds": 60.0,
    "account_sockets": True,
    "webhook_addresses": read_networks("52.89.214.238,34.212.75.30,54.218.53.128,52.32.178.7"),
    "notify_url": "",
    "notify_telegram_token": "",
    "notify_telegram_chat": "",
    "notify_telegram_url": "https://api.telegram.org",
    "notify_smtp": "",
    "notify_email_from": "",
    "notify_email_to": "",
    "account_urls": {
        "BITGET_LIVE_ACCOUNT_URL": "https://api.bitget.com",
        "BITGET_DEMO_ACCOUNT_URL": "https://api.bitget.com",
        "BINGX_LIVE_ACCOUNT_URL": "https://open-api.bingx.com",
        "BINGX_DEMO_ACCOUNT_URL": "https://open-api-vst.bingx.com",
        "EXTENDED_LIVE_ACCOUNT_URL": "https://api.starknet.extended.exchange/api/v1",
        "EXTENDED_DEMO_ACCOUNT_URL": "https://api.starknet.sepolia.extended.exchange/api/v1",
    },
    "account_socket_urls": {
        "BITGET_LIVE_ACCOUNT_WS_URL": "wss://ws.bitget.com",
        "BITGET_DEMO_ACCOUNT_WS_URL": "wss://wspap.bitget.com",
        "BINGX_LIVE_PERPETUAL_ACCOUNT_WS_URL": "wss://open-api-swap.bingx.com",
        "BINGX_DEMO_PERPETUAL_ACCOUNT_WS_URL": "wss://vst-open-api-ws.bingx.com",
        "BINGX_LIVE_SPOT_ACCOUNT_WS_URL": "wss://open-api-ws.bingx.com",
        "EXTENDED_LIVE_ACCOUNT_WS_URL": "wss://api.starknet.extended.exchange",
        "EXTENDED_DEMO_ACCOUNT_WS_URL": "wss://api.starknet.sepolia.extended.exchange",
    },
    "rollup_memory": 64,
    "archive": True,
    "binance_archive_url": "https://data.binance.vision",
}

BAD_URLS = [
    "api.binance.com",
    "ftp://api.binance.com",
    "https://",
    "https://h/?a=1",
    "https://h/#a",
    "http://[",
]

BAD_SOCKET_URLS = ["stream.binance.com", "https://stream.binance.com", "wss://", "ws://h/?a=1", "ws://["]

BAD_PROXIES = [
    *("yes", "proxy.example", "socks4://proxy.example:1080", "ftp://proxy.example:1", "socks5://:1080"),
    *("socks5://proxy.example:0", "socks5://proxy.example:99999", "http://[", "http://proxy.example:1/path"),
    *("http://proxy.example:1?a=1", "http://pro xy.example:1", f"socks5://me:{SECRET}%C3%B1@h:1"),
    f"http://m%3Ae:{SECRET}@h:1",
]

BAD = {
    "MONGODB_URI": [
        "localhost:27017",
        "http://localhost",
        "mongodb:localhost",
        "mongodb://[/",
        "mongodb://db/a.b",
    ],
    "MONGODB_PORT": ["0", "65536", "-1", "27017.0", "port", "٣", " 1", "1_0", "9" * 5000],
    "MONGODB_DATABASE": ["a b", "a.b", "a/b", "a$b", 'a"b', "x" * 64],
    "MONGODB_AUTH_SOURCE": ["a b", "users?x=1", "x" * 64],
    "DATABASE_TIMEOUT": ["0", "-1", "301", "nan", "inf", "soon"],
    "SERVER_PORT": ["0", "65536", "http"],
    "PUBLISHED_ADDRESS": ["localhost", "127.0.0.1:8888", "10.0.0.0/8"],
    "SERVER_NAMES": ["backend:8888", "http://backend", "*", "a b"],
    "BASE_PATH": [
        "candles",
        "/",
        "/candles/",
        "/a//b",
        "/a b",
        "/../a",
        "/%2f",
        "/ñ",
        "/a?b",
        "/" + "a" * 200,
    ],
    "API_KEYS": ["bot", "bot:short:read", f"bot:{SECRET}:all", f"bot:{SECRET}:read,"],
    "PUBLIC_READ": ["yes", "1"],
    "MASTER_KEYS": ["short", f"{SECRET}{SECRET}", f"{MASTER_KEY},{MASTER_KEY}", f"{MASTER_KEY[:-1]}!"],
    "ALLOW_WITHDRAW_KEYS": ["yes", "1"],
    "LIVE_TRADING": ["yes", "1"],
    "ACCOUNT_VISIT_HOURS": ["0", "721", "often"],
    "ACCOUNT_WATCH_SECONDS": ["-1", "3601", "often"],
    "ACCOUNT_SOCKETS": ["yes", "1"],
    "NOTIFY_URL": [f"ftp://h/{SECRET}", f"https://h/?a={SECRET}", f"http://h/{SECRET}", "https://"],
    "NOTIFY_TELEGRAM_TOKEN": [SECRET, f"1:{SECRET} 2", f"a:{SECRET}", "1:" + "x" * 100],
    "NOTIFY_TELEGRAM_CHAT": ["me", "@", "1.5", "@a b"],
    "NOTIFY_TELEGRAM_URL": [*BAD_URLS, "http://api.example.com"],
    "NOTIFY_SMTP": [f"https://u:{SECRET}@h", f"smtp://u:{SECRET}@", f"smtps://u:{SECRET}@h/a", "smtp://h:0"],
    "NOTIFY_EMAIL_FROM": ["me", "me@home", "a b@example.com", "@example.com"],
    "NOTIFY_EMAIL_TO": ["me", "me@home", "a b@example.com", "@example.com"],
    "WEBHOOK_ADDRESSES": ["tradingview.com", "1.2.3", "10.0.0.1/8"],
    **{
        f"{venue}_{mode}_ACCOUNT_URL": [*BAD_URLS, "http://api.example.com"]
        for venue in ("BITGET", "BINGX", "EXTENDED")
        for mode in ("LIVE", "DEMO")
    },
    **{
        f"{name}_ACCOUNT_WS_URL": [*BAD_SOCKET_URLS, "ws://api.example.com"]
        for name in (
            *("BITGET_LIVE", "BITGET_DEMO", "BINGX_LIVE_PERPETUAL"),
            *("BINGX_DEMO_PERPETUAL", "BINGX_LIVE_SPOT", "EXTENDED_LIVE", "EXTENDED_DEMO"),
        )
    },
    "CORS_ORIGINS": ["charts.example.com", "https://charts.example.com/", "https://a.example,"],
    "ALLOWED_NETWORKS": ["localhost", "192.168.31.1/24", "10.0.0.0/8,"],
    "TRUSTED_PROXIES": ["proxy", "10.0.0.0/33"],
    "REQUESTS_PER_MINUTE": ["-1", "1000001", "many", "1.5"],
    "LOG_LEVEL": ["LOUD", "10", "TRACE"],
    "LOG_FORMAT": ["text", "xml", "1"],
    "METRICS_SERIES": ["-1", "1001", "all"],
    "SYNC_START": ["yesterday", "1748736000", "-1", "2025-13-01"],
    "SYNC_ON_READ": ["yes", "1", "maybe"],
    "ROLE": ["boss", "api,worker"],
    "FOLLOW": ["BTCUSDT", "binance:BTCUSDT", "nasdaq:spot:AAPL", "binance:options:BTCUSDT", "binance:spot:"],
    "LIVE": ["on", "websocket", "sockets,rest"],
    "PAGES_IN_FLIGHT": ["0", "65", "many", "-3"],
    "JOBS_AT_ONCE": ["0", "65", "all"],
    "JOBS_QUEUED": ["0", "100001", "all"],
    "LEASE_SECONDS": ["0", "0.1", "-1", "301", "nan", "soon"],
    "SETTLE_SECONDS": ["-1", "60", "2.5", "soon"],
    "RECHECK_MINUTES": ["-1", "101", "all"],
    "REQUEST_TIMEOUT": ["0", "-1", "301", "nan", "inf", "soon"],
    "RATE_LIMIT_SHARE": ["0", "1.01", "-0.5", "nan", "inf", "90%"],
    "PROXY": BAD_PROXIES,
    "BINANCE_PROXY": BAD_PROXIES,
    "BITGET_PROXY": BAD_PROXIES,
    "BINGX_PROXY": BAD_PROXIES,
    "EXTENDED_PROXY": BAD_PROXIES,
    "HTTPS_PROXY": BAD_PROXIES,
    "HTTP_PROXY": BAD_PROXIES,
    "ALL_PROXY": BAD_PROXIES,
    "BINANCE_SPOT_URL": BAD_URLS,
    "BINANCE_PERPETUAL_URL": BAD_URLS,
    "BITGET_URL": BAD_URLS,
    "BINGX_URL": BAD_URLS,
    "EXTENDED_URL": BAD_URLS,
    "BINANCE_SPOT_WS_URL": BAD_SOCKET_URLS,
    "BINANCE_PERPETUAL_WS_URL": BAD_SOCKET_URLS,
    "BITGET_WS_URL": BAD_SOCKET_URLS,
    "BINGX_SPOT_WS_URL": BAD_SOCKET_URLS,
    "BINGX_PERPETUAL_WS_URL": BAD_SOCKET_URLS,
    "ROLLUP_MEMORY": ["-1", "65537", "much"],
    "ARCHIVE": ["yes", "1", "maybe"],
    "BINANCE_ARCHIVE_URL": BAD_URLS,
}

FREE_TEXTS = {
    *("MONGODB_HOST", "MONGODB_USERNAME", "MONGODB_PASSWORD", "DATA_DIR", "SERVER_ADDRESS", "EGRESS"),
    *("NO_PROXY", "MASTER_KEYS_FILE"),
}


def fields_of(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in DEFAULTS}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an environment without any setting of ours."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    return tmp_path


def test_every_setting_has_a_default() -> None:
    assert fields_of(load_settings({})) == DEFAULTS


def test_every_setting_is_explained() -> None:
    assert all(setting.about.endswith(".") for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_every_setting_that_can_be_wrong_is_tried_below() -> None:
    assert set(BAD) | FREE_TEXTS == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]])
def test_a_value_that_makes_no_sense_ends_with_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name}: .* is not valid: ") as caught:
        load_settings({name: value})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", ["http://localhost:abc", "http://localhost:99999"])
def test_a_base_url_with_an_impossible_port_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^BINANCE_SPOT_URL: "):
        load_settings({"BINANCE_SPOT_URL": value})


def test_a_first_sync_begins_on_a_whole_minute() -> None:
    settings = load_settings({"SYNC_START": "2025-06-01T00:00:30Z"})
    assert settings.sync_start % 60_000 == 0


@pytest.mark.parametrize("level", LOG_LEVELS)
def test_a_log_level_may_be_written_small(level: str) -> None:
    assert load_settings({"LOG_LEVEL": level.lower()}).log_level == level


def test_a_share_of_the_whole_limit_is_allowed() -> None:
    assert load_settings({"RATE_LIMIT_SHARE": "1"}).rate_limit_share == 1.0


def test_a_slash_at_the_end_of_a_base_url_makes_no_difference() -> None:
    settings = load_settings({"BINANCE_SPOT_URL": "http://localhost:9000/spot/"})
    assert settings.base_urls["BINANCE_SPOT_URL"] == "http://localhost:9000/spot"


def test_one_base_url_serves_all_markets_of_a_venue_that_share_it() -> None:
    helps = {setting.name: setting.about for setting in SETTINGS}
    assert helps["BITGET_URL"] == "Base URL of bitget spot and perpetual."
    assert helps["BINANCE_PERPETUAL_URL"] == "Base URL of binance perpetual."


def test_every_market_finds_its_base_url() -> None:
    urls = load_settings({}).base_urls
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            assert urls[market.url_setting] == market.base_url


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_where_a_region_is_blocked_two_settings_that_exist_are_named(exchange: str) -> None:
    for market in EXCHANGES[exchange].markets.values():
        blocked = market.failure(Answer(451, {}, b""))
        assert isinstance(blocked, RegionBlocked)
        named = set(re.findall(r"[A-Z]+_[A-Z_]+", str(blocked)))
        assert named == {market.url_setting, f"{exchange.upper()}_PROXY"}
        assert named <= {setting.name for setting in SETTINGS}


def test_every_socket_finds_its_base_url() -> None:
    urls = load_settings({}).socket_urls
    sockets = [
        market.socket
        for exchange in EXCHANGES.values()
        for market in exchange.markets.values()
        if market.socket is not None
    ]
    assert len(sockets) == 6
    assert all(urls[socket.url_setting] == socket.base_url for socket in sockets)


def test_a_socket_may_be_asked_for_without_tls() -> None:
    settings = load_settings({"BITGET_WS_URL": "ws://localhost:9000/", "LIVE": "REST"})
    assert settings.socket_urls["BITGET_WS_URL"] == "ws://localhost:9000"
    assert settings.live == "rest"


def test_a_password_in_the_url_of_a_socket_is_a_secret() -> None:
    assert SECRET in load_settings({"BITGET_WS_URL": f"ws://me:{SECRET}@localhost"}).secrets


def test_proxies_are_kept_by_their_settings_and_their_passwords_are_secrets() -> None:
    url = f"socks5://me:{SECRET}@proxy.example:1080"
    settings = load_settings({"BINGX_PROXY": url, "PROXY": "direct", "NO_PROXY": "a.example"})
    found = {name: value for name, value in settings.proxies.items() if value}
    assert found == {"BINGX_PROXY": url, "PROXY": "direct", "NO_PROXY": "a.example"}
    assert SECRET in settings.secrets
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"])
def test_what_other_programs_know_may_be_written_small_which_wins(name: str) -> None:
    assert load_settings({name.lower(): "small:1"}).proxies[name].endswith("small:1")
    assert load_settings({name: "large:1", name.lower(): "small:1"}).proxies[name].endswith("small:1")
    assert load_settings({name: "large:1", name.lower(): ""}).proxies[name].endswith("large:1")


@pytest.mark.parametrize("name", ["PROXY", "BINANCE_PROXY", "MONGODB_DATABASE"])
def test_settings_of_our_own_are_written_large(name: str) -> None:
    assert load_settings({name.lower(): "small:1"}) == load_settings({})


def test_an_empty_value_counts_as_unset() -> None:
    assert fields_of(load_settings({setting.name: "" for setting in SETTINGS})) == DEFAULTS


@pytest.mark.parametrize("name", ["MONGODB_USERNAME", "MONGODB_PASSWORD"])
def test_a_username_and_a_password_go_together(name: str) -> None:
    with pytest.raises(
        ConfigurationError, match="MONGODB_USERNAME and MONGODB_PASSWORD belong together"
    ) as caught:
        load_settings({"MONGODB_HOST": "db", name: SECRET})
    assert SECRET not in str(caught.value)


def test_neither_the_password_nor_the_uri_is_shown() -> None:
    settings = load_settings(
        {
            "MONGODB_URI": f"mongodb://me:{SECRET}@db/",
            "MONGODB_USERNAME": "me",
            "MONGODB_PASSWORD": SECRET,
        }
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_a_refused_uri_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match=r"^MONGODB_URI: its value is not valid") as caught:
        load_settings({"MONGODB_URI": f"mongo://me:{SECRET}@db/"})
    assert SECRET not in str(caught.value)
    assert SECRET not in str(caught.value.__cause__)


def test_a_key_of_the_api_is_neither_kept_nor_shown() -> None:
    settings = load_settings({"API_KEYS": f"bot:{SECRET}:read"})
    assert settings.access.keys == settings.api_keys
    assert [key.name for key in settings.api_keys] == ["bot"]
    assert SECRET not in repr(settings) + str(settings)


def test_a_refused_key_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match=r"^API_KEYS: its value is not valid") as caught:
        load_settings({"API_KEYS": f"bot:{SECRET}:everything"})
    assert SECRET not in str(caught.value) + str(caught.value.__cause__)


@pytest.mark.usefixtures("folder")
def test_keys_leave_the_environment_once_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", f"bot:{SECRET}:read")
    assert len(load_settings().api_keys) == 1
    assert "API_KEYS" not in os.environ


def test_what_the_settings_say_of_access_arrives() -> None:
    access = load_settings(
        {
            "SERVER_ADDRESS": "Candles.lan",
            "SERVER_NAMES": "backend,mini.lan",
            "PUBLIC_READ": "True",
            "CORS_ORIGINS": "*",
            "ALLOWED_NETWORKS": "10.0.0.0/8",
            "TRUSTED_PROXIES": "10.0.0.1, fd00::1",
            "REQUESTS_PER_MINUTE": "60",
        }
    ).access
    assert (access.public_read, access.origins, access.requests_per_minute) == (True, frozenset("*"), 60)
    assert access.names == {"candles.lan", "backend", "mini.lan"}
    assert [str(network) for network in access.networks] == ["10.0.0.0/8"]
    assert [str(network) for network in access.proxies] == ["10.0.0.1/32", "fd00::1/128"]


def test_without_a_host_or_a_uri_the_database_is_the_embedded_one() -> None:
    assert load_settings({}).database_uri is None
    assert load_settings({"MONGODB_PORT": "27018"}).database_uri is None


def test_a_host_and_a_port_make_a_uri() -> None:
    settings = load_settings({"MONGODB_HOST": "db", "MONGODB_PORT": "27018"})
    assert settings.database_uri == "mongodb://db:27018/"


def test_a_user_is_looked_up_in_the_admin_database() -> None:
    settings = load_settings(
        {"MONGODB_HOST": "db", "MONGODB_USERNAME": "me", "MONGODB_PASSWORD": "p@ss/w:rd %"}
    )
    assert settings.database_uri == "mongodb://me:p%40ss%2Fw%3Ard+%25@db:27017/?authSource=admin"


def test_a_user_may_be_defined_elsewhere() -> None:
    user = {"MONGODB_USERNAME": "me", "MONGODB_PASSWORD": "dummy", "MONGODB_AUTH_SOURCE": "people"}
    uri = load_settings({"MONGODB_HOST": "db", **user}).database_uri
    assert uri == "mongodb://me:dummy@db:27017/?authSource=people"


@pytest.mark.parametrize(
    ("uri", "database"),
    [
        ("mongodb://me:dummy@one:27017,two:27018/candles?replicaSet=r", "candles"),
        ("mongodb+srv://cluster.example/candles", "candles"),
        ("mongodb://%2Ftmp%2Fmongod.sock/candles%2D1", "candles-1"),
        ("mongodb://db/", "binance_data"),
        ("mongodb://db", "binance_data"),
        ("mongodb://db/?tls=true", "binance_data"),
        ("mongodb://me:dummy@db/admin", "binance_data"),
    ],
)
def test_the_database_that_a_uri_names_counts_unless_another_is_set(uri: str, database: str) -> None:
    assert load_settings({"MONGODB_URI": uri}).mongodb_database == database
    assert load_settings({"MONGODB_URI": uri, "MONGODB_DATABASE": ""}).mongodb_database == database
    assert load_settings({"MONGODB_URI": uri, "MONGODB_DATABASE": "other"}).mongodb_database == "other"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_username_and_password_arrive_at_the_driver(username: str, password: str) -> None:
    uri = load_settings(
        {"MONGODB_HOST": "db", "MONGODB_USERNAME": username, "MONGODB_PASSWORD": password}
    ).database_uri
    parsed = parse_uri(uri or "")
    assert (parsed["username"], parsed["password"]) == (username, password)
    assert parsed["nodelist"] == [("db", 27017)]


def test_a_whole_uri_wins_over_its_parts() -> None:
    settings = load_settings({"MONGODB_URI": "mongodb+srv://cluster.example/", "MONGODB_HOST": "db"})
    assert settings.database_uri == "mongodb+srv://cluster.example/"


def test_settings_come_from_a_dotenv_file_in_the_working_folder(folder: Path) -> None:
    (folder / ".env").write_text("SERVER_PORT=9001\nLOG_LEVEL=debug\n")
    settings = load_settings()
    assert (settings.server_port, settings.log_level) == (9001, "DEBUG")


def test_the_environment_wins_over_the_dotenv_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("SERVER_PORT=9001\nLOG_LEVEL=debug\n")
    monkeypatch.setenv("SERVER_PORT", "9002")
    settings = load_settings()
    assert (settings.server_port, settings.log_level) == (9002, "DEBUG")


def test_an_empty_variable_of_the_environment_brings_the_default_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("SERVER_PORT=9001\n")
    monkeypatch.setenv("SERVER_PORT", "")
    assert load_settings().server_port == 8888


@pytest.mark.usefixtures("folder")
def test_without_a_dotenv_file_the_environment_alone_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_DATABASE", "candles")
    assert fields_of(load_settings()) == DEFAULTS | {"mongodb_database": "candles"}


def test_names_that_are_not_ours_are_left_alone(folder: Path) -> None:
    (folder / ".env").write_text("COMPOSE_PROJECT_NAME=x\nNOT_OURS\n")
    assert fields_of(load_settings()) == DEFAULTS
