"""Sessions of people. A session is only a cookie that Tornado signs with a secret made from its key.

Browsers send cookies by themselves, whatever page has them ask. So a session counts only for what our own
page asks: `Sec-Fetch-Site` and `Origin` say which page that is, and no page can change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from tornado.httputil import HTTPServerRequest
from tornado.web import create_signed_value, decode_signed_value

from backend.access.keys import ApiKey, find_key
from backend.access.networks import caller_of
from backend.access.origins import is_own_page
from backend.access.policy import SAFE_METHODS
from backend.access.rate import ClientRateLimit
from backend.access.sessions import (
    ATTEMPTS_PER_MINUTE,
    KEPT_MS,
    SESSION_MS,
    Session,
    cookie_name,
    signing_secret,
)
from backend.clock import Clock
from backend.errors import Forbidden, TooManyRequests, Unauthenticated

DAY_MS = 86_400_000
VERSION = 2
"""Of Tornado's signed values: HMAC-SHA256 over name, moment and value."""


class Sessions:
    """Those of one process, which are those of every process with the same `keys`."""

    def __init__(self, keys: Sequence[ApiKey], clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._attempts = ClientRateLimit(ATTEMPTS_PER_MINUTE)

    def of(self, request: HTTPServerRequest) -> Session | None:
        """The session that a request proves; None where a page of another origin asks."""
        cookie = request.cookies.get(name_at(request)) if self._keys else None
        if cookie is None or _is_from_elsewhere(request):
            return None
        return self._read(name_at(request), cookie.value)

    def check(self, request: HTTPServerRequest) -> None:
        """Raise Forbidden where a session would change something for a page that is not surely ours. A
        WebSocket counts as that: any page may open one, and read it."""
        is_harmless = request.method in SAFE_METHODS and "Upgrade" not in request.headers
        if not is_harmless and self.of(request) and not _is_own_page(request):
            raise Forbidden(
                "only the service's own page can use a session: send a key", code="foreign_origin"
            )

    def begin(self, request: HTTPServerRequest, secret: str, *, keep: bool) -> Session:
        """A session of the key that `secret` is. Raises Forbidden, TooManyRequests and Unauthenticated."""
        check_page(request)
        wait = self._attempts.spend(caller_of(ip_address(str(request.remote_ip))), self._clock.monotonic())
        if wait:
            raise TooManyRequests(
                f"your address tried more than {ATTEMPTS_PER_MINUTE} keys in a minute: wait",
                code="too_many_attempts",
                retry_after=wait,
            )
        key = find_key(self._keys, secret)
        if key is None:
            raise Unauthenticated("the service does not know this key", code="invalid_key")
        return Session(key, self._clock.now() + (KEPT_MS if keep else SESSION_MS))

    def seconds_left(self, session: Session) -> float:
        """Until it ends."""
        return max(0.0, (session.until - self._clock.now()) / 1000)

    def signed(self, request: HTTPServerRequest, session: Session) -> str:
        """The cookie's value. It says when it ends, and neither the key nor whose it is."""
        secret = signing_secret(session.key)
        return create_signed_value(
            secret, name_at(request), str(session.until), version=VERSION, clock=self._seconds
        ).decode()

    def _read(self, name: str, value: str) -> Session | None:
        for key in self._keys:
            until = decode_signed_value(
                signing_secret(key), name, value, KEPT_MS / DAY_MS, clock=self._seconds, min_version=VERSION
            )
            if until is not None:
                return Session(key, int(until)) if self._clock.now() < int(until) else None
        return None

    def _seconds(self) -> float:
        return self._clock.now() / 1000


def name_at(request: HTTPServerRequest) -> str:
    """The cookie's name at the address that was asked."""
    return cookie_name(request.headers.get("Host", ""))


def check_page(request: HTTPServerRequest) -> None:
    """Raise Forbidden where a browser asks for a page that is not ours."""
    is_browser = "Sec-Fetch-Site" in request.headers or "Origin" in request.headers
    if is_browser and not _is_own_page(request):
        raise Forbidden("only the service's own page may send this request", code="foreign_origin")


def _is_own_page(request: HTTPServerRequest) -> bool:
    headers = request.headers
    return is_own_page(headers.get("Sec-Fetch-Site"), headers.get("Origin"), headers.get("Host", ""))


def _is_from_elsewhere(request: HTTPServerRequest) -> bool:
    """Whether a browser says that a page of another origin has it ask; "none" is what a person typed."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
