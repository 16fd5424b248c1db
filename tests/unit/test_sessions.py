"""Sessions: which cookies count, for how long, and for whose pages."""

from __future__ import annotations

from base64 import b64encode
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from backend.access.keys import ApiKey, read_keys
from backend.access.origins import is_own_page
from backend.access.sessions import ATTEMPTS_PER_MINUTE, HOUR, KEPT_MS, SESSION_MS, cookie_name
from backend.errors import Forbidden, TooManyRequests, Unauthenticated
from backend.web.server.sessions import Sessions
from tests.fakes import FakeClock

READER, WRITER = "reader-0123456789", "writer-0123456789"
TEXT = f"bot:{READER}:read,admin:{WRITER}:read+write"
HOST = "localhost:8888"
OWN = {"Origin": f"http://{HOST}"}


def asked(method: str = "GET", address: str = "10.0.0.7", **headers: str) -> HTTPServerRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    start = RequestStartLine(method, "/api/jobs", "HTTP/1.1")
    request = HTTPServerRequest(start_line=start, headers=HTTPHeaders({"Host": HOST} | named))
    request.remote_ip = address
    return request


def sessions(text: str = TEXT, clock: FakeClock | None = None) -> Sessions:
    """Those of one process."""
    return Sessions(read_keys(text), clock or FakeClock())


def cookie(made: Sessions, secret: str = READER, *, keep: bool = False, address: str = "10.0.0.7") -> str:
    """What the browser sends from now on."""
    request = asked("POST", address, **OWN)
    value = made.signed(request, made.begin(request, secret, keep=keep))
    found: SimpleCookie = SimpleCookie()
    found[cookie_name(HOST)] = value
    return found.output(header="", attrs=[]).strip()


def key_of(made: Sessions, text: str, **headers: str) -> str | None:
    found = made.of(asked(Cookie=text, **headers))
    return found.key.name if found else None


def test_a_cookie_of_one_process_counts_in_every_other_with_the_same_key() -> None:
    text = cookie(sessions(), WRITER)
    assert key_of(sessions(), text) == "admin"
    assert key_of(sessions(f"other:{'x' * 20}:read,renamed:{WRITER}:read"), text) == "renamed"


def test_a_cookie_is_dead_once_its_key_has_left_the_setting() -> None:
    text = cookie(sessions(), WRITER)
    assert key_of(sessions(f"bot:{READER}:read"), text) is None
    assert key_of(sessions(f"bot:{READER}:read,admin:{'n' * 20}:read+write"), text) is None
    assert key_of(sessions(""), text) is None


@pytest.mark.parametrize(("keep", "lasts"), [(False, SESSION_MS), (True, KEPT_MS)])
def test_a_session_ends_by_itself(keep: bool, lasts: int) -> None:
    clock = FakeClock()
    made = sessions(clock=clock)
    text = cookie(made, keep=keep)
    found = made.of(asked(Cookie=text))
    assert found is not None
    assert found.until == clock.now() + lasts
    clock.advance((lasts - HOUR) / 1000)
    assert key_of(made, text) == "bot"
    clock.advance(HOUR / 1000)
    assert key_of(made, text) is None


def test_a_cookie_says_neither_the_key_nor_whose_it_is() -> None:
    text = cookie(sessions())
    for word in (READER, "bot", read_keys(TEXT)[0].digest.hex()):
        assert word not in text
        assert b64encode(word.encode()).decode().rstrip("=") not in text


@given(st.integers(0, 400), st.characters(max_codepoint=127))
def test_a_cookie_that_was_changed_anywhere_counts_for_nothing(place: int, other: str) -> None:
    made = sessions()
    name, _, value = cookie(made).partition("=")
    place %= len(value)
    changed = value[:place] + other + value[place + 1 :]
    if changed.strip('"') != value.strip('"'):
        request = asked()
        request._cookies = SimpleCookie()
        request._cookies[name] = changed.strip('"')
        assert made.of(request) is None


def test_a_cookie_of_another_port_is_another_one() -> None:
    assert cookie_name("localhost:8888") == cookie_name("[::1]:8888") == "session_8888"
    assert cookie_name("candles.example.com") == cookie_name("[::1]") == cookie_name("a:\u0663") == "session"
    made = sessions()
    value = cookie(made).partition("=")[2]
    assert key_of(made, f"session_9999={value}", Host="localhost:9999") is None


@pytest.mark.parametrize(("site", "counts"), [("same-origin", True), ("none", True), ("same-site", False)])
def test_for_pages_of_other_origins_a_cookie_does_not_even_read(site: str, counts: bool) -> None:
    made = sessions()
    assert (key_of(made, cookie(made), Sec_Fetch_Site=site) is not None) is counts


SURELY_OURS = ({"Sec_Fetch_Site": "same-origin"}, OWN, {"Origin": "HTTPS://LOCALHOST:8888"})
NOT_SURELY_OURS: tuple[dict[str, str], ...] = (
    {},
    {"Sec_Fetch_Site": "none"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://["},
    {"Origin": ""},
    {"Sec_Fetch_Site": "none", **OWN},
)


@pytest.mark.parametrize("headers", SURELY_OURS)
def test_a_session_changes_something_for_our_own_page(headers: dict[str, str]) -> None:
    made = sessions()
    made.check(asked("DELETE", Cookie=cookie(made), **headers))


@pytest.mark.parametrize("headers", NOT_SURELY_OURS)
def test_a_session_changes_nothing_for_what_is_not_surely_our_page(headers: dict[str, str]) -> None:
    made = sessions()
    text = cookie(made)
    made.check(asked("GET", Cookie=text, **headers))
    made.check(asked("DELETE", **headers))
    for request in (
        asked("DELETE", Cookie=text, **headers),
        asked(Upgrade="websocket", Cookie=text, **headers),
    ):
        with pytest.raises(Forbidden) as told:
            made.check(request)
        assert told.value.code == "foreign_origin"


def test_no_page_of_another_site_begins_a_session() -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        with pytest.raises(Forbidden):
            sessions().begin(asked("POST", **headers), READER, keep=False)


def test_an_address_tries_only_so_many_keys_a_minute() -> None:
    clock = FakeClock()
    made = sessions(clock=clock)
    for number in range(ATTEMPTS_PER_MINUTE):
        with pytest.raises(Unauthenticated):
            cookie(made, f"guess-{number:020}")
    with pytest.raises(TooManyRequests) as told:
        cookie(made, READER)
    assert told.value.code == "too_many_attempts"
    assert told.value.retry_after == pytest.approx(60 / ATTEMPTS_PER_MINUTE)
    assert cookie(made, READER, address="10.0.0.8")
    clock.advance(60 / ATTEMPTS_PER_MINUTE)
    assert cookie(made, READER)


def test_an_empty_host_is_nobodys_origin() -> None:
    assert not is_own_page(None, "", "")
    assert not is_own_page(None, "null", "")


def test_without_keys_there_are_no_sessions() -> None:
    with pytest.raises(Unauthenticated):
        cookie(sessions(""), READER)
    assert ApiKey.__dataclass_fields__["digest"].repr is False
