"""Origins and scopes: what the settings allow."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from backend.access.keys import TRADING_SCOPES, ApiKey, read_keys
from backend.access.networks import read_networks
from backend.access.origins import allowed_origin, read_origins
from backend.access.policy import HEALTH_ROUTES, OPEN_ROUTES, Access, is_open, scopes_of
from backend.errors import Forbidden, MarketDataError, Unauthenticated

READER, WRITER, BOTH = KEYS = read_keys(
    "reader:0123456789abcdef-r:read,writer:0123456789abcdef-w:write,both:0123456789abcdef-b:read+write"
)
CLOSED = Access(keys=KEYS)
PUBLIC = Access(keys=KEYS, public_read=True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_read(method: str) -> None:
    assert scopes_of(method, "/api/data") == ("read",)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "FROBNICATE", "get", ""])
def test_all_else_needs_write(method: str) -> None:
    assert scopes_of(method, "/api/sync") == ("write",)


@pytest.mark.parametrize(
    "path", ["/accounts", "/accounts/1", "/account/balance", "/orders", "/orders/history"]
)
def test_accounts_need_a_scope_of_their_own(path: str) -> None:
    assert scopes_of("GET", path) == ("trade", "funds", "admin")
    changing = ("admin",) if path.startswith("/accounts") else ("trade",)
    assert scopes_of("POST", path) == scopes_of("DELETE", path) == changing


@pytest.mark.parametrize("access", [Access(), Access(public_read=True)])
def test_no_setting_gives_accounts_to_everybody(access: Access) -> None:
    assert not any(access.allows(scope, None) for scope in TRADING_SCOPES)
    assert access.allows("read", None)


def verdict(
    access: Access, method: str, key: ApiKey | None, presented: bool = True, path: str = "/api/data"
) -> str:
    """The error's code, empty where the request is admitted."""
    try:
        access.check_scope(method, path, key, presented=presented)
    except MarketDataError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("access", "method", "key", "code"),
    [
        (CLOSED, "GET", READER, ""),
        (CLOSED, "GET", WRITER, "missing_scope"),
        (CLOSED, "GET", BOTH, ""),
        (CLOSED, "POST", READER, "missing_scope"),
        (CLOSED, "POST", WRITER, ""),
        (CLOSED, "DELETE", READER, "missing_scope"),
        (CLOSED, "DELETE", BOTH, ""),
        (CLOSED, "GET", None, "invalid_key"),
        (CLOSED, "POST", None, "invalid_key"),
        (PUBLIC, "GET", WRITER, ""),
        (PUBLIC, "GET", None, "invalid_key"),
        (PUBLIC, "POST", READER, "missing_scope"),
        (Access(), "DELETE", None, ""),
    ],
)
def test_a_key_may_do_what_its_scopes_say(access: Access, method: str, key: ApiKey | None, code: str) -> None:
    assert verdict(access, method, key) == code


@pytest.mark.parametrize(
    ("access", "method", "code"),
    [
        (CLOSED, "GET", "missing_key"),
        (CLOSED, "POST", "missing_key"),
        (PUBLIC, "GET", ""),
        (PUBLIC, "POST", "missing_key"),
        (PUBLIC, "DELETE", "missing_key"),
        (Access(), "POST", ""),
    ],
)
def test_without_a_key_one_may_do_what_is_public(access: Access, method: str, code: str) -> None:
    assert verdict(access, method, None, presented=False) == code


@pytest.mark.parametrize(
    ("scopes", "method", "path", "code"),
    [
        ("read+write", "GET", "/accounts", "missing_scope"),
        ("read+write", "POST", "/extract-orders", "missing_scope"),
        ("trade", "GET", "/accounts", ""),
        ("trade", "POST", "/extract-orders", ""),
        ("trade", "POST", "/accounts", "missing_scope"),
        ("funds", "GET", "/account/balance", ""),
        ("funds", "POST", "/extract-orders", "missing_scope"),
        ("admin", "POST", "/accounts", ""),
        ("admin", "GET", "/api/data", "missing_scope"),
    ],
)
def test_a_key_sees_and_changes_accounts_by_its_scopes(
    scopes: str, method: str, path: str, code: str
) -> None:
    keys = read_keys(f"one:0123456789abcdef-o:{scopes}")
    assert verdict(Access(keys=keys, public_read=scopes != "admin"), method, keys[0], path=path) == code


def test_the_kinds_of_refusal_differ() -> None:
    with pytest.raises(Unauthenticated):
        CLOSED.check_scope("GET", "/api/data", None, presented=False)
    with pytest.raises(Forbidden):
        CLOSED.check_scope("POST", "/api/data", READER, presented=True)


def test_requests_from_elsewhere_are_refused() -> None:
    access = Access(networks=read_networks("192.168.31.0/24"))
    access.check_network(ip_address("192.168.31.40"), "/api/jobs")
    for address in ("192.168.30.1", "127.0.0.1", "::1"):
        with pytest.raises(Forbidden, match="ALLOWED_NETWORKS"):
            access.check_network(ip_address(address), "/api/jobs")


@pytest.mark.parametrize("path", sorted(HEALTH_ROUTES))
def test_this_machine_may_always_ask_after_its_health(path: str) -> None:
    access = Access(networks=read_networks("192.168.31.0/24"))
    access.check_network(ip_address("127.0.0.1"), path)
    with pytest.raises(Forbidden):
        access.check_network(ip_address("10.0.0.1"), path)


def test_what_is_open_is_health_the_page_and_the_description_of_the_service() -> None:
    assert {"/health", "/health/live", "/health/ready"} == HEALTH_ROUTES
    assert {"/docs", "/openapi.json", "/", "/ui", "/api/session"} == OPEN_ROUTES - HEALTH_ROUTES
    assert is_open("/ui/jobs")
    assert not any(map(is_open, ("/uid", "/api/jobs", "/metrics", "//ui/")))


def test_the_description_is_not_for_other_networks_not_even_on_this_machine() -> None:
    access = Access(networks=read_networks("192.168.31.0/24"))
    for path in OPEN_ROUTES - HEALTH_ROUTES:
        with pytest.raises(Forbidden):
            access.check_network(ip_address("127.0.0.1"), path)


def test_without_networks_all_may_come() -> None:
    Access().check_network(ip_address("203.0.113.7"), "/api/jobs")


def test_an_origin_is_allowed_by_name_or_with_all_others() -> None:
    some = read_origins("https://charts.example.com, http://localhost:3000")
    assert allowed_origin("https://charts.example.com", some) == "https://charts.example.com"
    assert allowed_origin("http://localhost:3000", some) == "http://localhost:3000"
    for stranger in ("http://charts.example.com", "https://charts.example.com.evil.example", "null", ""):
        assert allowed_origin(stranger, some) is None
    assert allowed_origin("https://anybody.example", read_origins("*")) == "*"
    assert allowed_origin("https://anybody.example", read_origins("")) is None


@pytest.mark.parametrize(
    "text",
    [
        *("charts.example.com", "https://charts.example.com/", "ftp://charts.example.com", "https://"),
        *(
            "https://a.example,",
            "null",
            "https://*.example.com",
            "https://a.example:x",
            "https://a@b.example",
            "https://a.example?b",
        ),
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give \\* or origins"):
        read_origins(text)
