"""Who sends a request, and whether it is admitted; headers for browsers in every answer.

`ApiHandler` calls this for every request, so that no route can be forgotten. `access` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from backend.access.keys import SCOPES, ApiKey, Scope, find_key
from backend.access.networks import Address, caller_of, client_address
from backend.access.origins import ANY, allowed_origin
from backend.access.policy import HEALTH_ROUTES, KILL_ROUTE, Access, is_open, is_webhook
from backend.access.rate import ClientRateLimit
from backend.clock import Clock
from backend.errors import Forbidden, MarketDataError, TooManyRequests, TooManyStreams, Unauthenticated
from backend.web.server.sessions import Sessions

SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)

FULL_SECONDS = 5
"""Seconds until a client may try again after it found no free connection."""

REQUEST_HEADERS = (
    "Accept, Authorization, Content-Type, If-Modified-Since, If-None-Match, If-Range, Range, "
    "X-Api-Key, X-Request-Id"
)
"""Headers that a web page may send."""

PREFLIGHT_HEADERS = (
    ("Access-Control-Allow-Headers", REQUEST_HEADERS),
    ("Access-Control-Max-Age", "3600"),
)
"""Headers of the answer to a preflight request, and the seconds for which it is valid."""

REALM = 'Bearer realm="market data"'
CHALLENGES = {
    "missing_key": REALM,
    "invalid_key": f'{REALM}, error="invalid_token"',
    "missing_scope": f'{REALM}, error="insufficient_scope"',
}
"""`WWW-Authenticate` by error code: https://www.rfc-editor.org/rfc/rfc6750#section-3"""


class Guard:
    """Admits requests. `clock` measures the rate of callers."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._rate = ClientRateLimit(access.requests_per_minute)
        self.sessions = Sessions(access.keys, clock)

    def admit(self, request: HTTPServerRequest) -> None:
        """Raise an error, with the reason, for a request that is not allowed. Sets `remote_ip` to the
        client's own address."""
        address = self._address(request)
        request.remote_ip = str(address)
        if is_webhook(request.path):
            self._access.check_host(request.headers.get("Host"))
            return
        self._access.check_network(address, request.path)
        self._access.check_host(request.headers.get("Host"))
        if request.path in HEALTH_ROUTES:
            return
        if not self._is_emergency(request):
            if is_spare(request):
                raise TooManyStreams(
                    "the service has no free connection: try again later", retry_after=FULL_SECONDS
                )
            self._spend(self.caller(request))
        if is_open(request.path):
            return
        if not self.is_preflight(request):
            if not _secret(request.headers):
                self.sessions.check(request)
            self._access.check_scope(
                request.method or "",
                request.path,
                self._key(request),
                presented=bool(_secret(request.headers)),
            )
        elif not self.trusts(request.headers["Origin"]):
            raise Forbidden(
                "pages of this origin may not send this request: see CORS_ORIGINS", code="foreign_origin"
            )

    def may_send_alarms(self, request: HTTPServerRequest) -> bool:
        """Whether alarms from the address that `admit` found are let in."""
        return self._access.may_send_alarms(ip_address(str(request.remote_ip)))

    def caller(self, request: HTTPServerRequest) -> str:
        """Who counts as one client: a key, or without one the address that `admit` found."""
        key = self._key(request)
        return f"key {key.name}" if key else caller_of(ip_address(str(request.remote_ip)))

    def rights(self, request: HTTPServerRequest) -> tuple[str | None, list[Scope]]:
        """The name of the request's key, and its scopes. Raises Unauthenticated."""
        key = self._key(request)
        if key is None and self._access.keys and _secret(request.headers):
            raise Unauthenticated("the service does not know this key", code="invalid_key")
        return key.name if key else None, self.scopes(key)

    def scopes(self, key: ApiKey | None) -> list[Scope]:
        """The scopes of somebody with this key, or without one."""
        return [scope for scope in SCOPES if self._access.allows(scope, key)]

    def is_preflight(self, request: HTTPServerRequest) -> bool:
        """Whether this is a browser's preflight request for a page of another origin: it carries no key."""
        asks = "Origin" in request.headers and "Access-Control-Request-Method" in request.headers
        return request.method == "OPTIONS" and asks and bool(self._access.origins)

    def trusts(self, origin: str) -> bool:
        """Whether pages of this origin may read answers and send changes."""
        return allowed_origin(origin, self._access.origins) is not None

    def headers(self, request: HTTPServerRequest) -> Iterator[tuple[str, str]]:
        """Headers of every answer."""
        yield from SECURITY_HEADERS
        if self._access.reads_need_key:
            yield "Cache-Control", "private"
        if origin := allowed_origin(request.headers.get("Origin", ""), self._access.origins):
            yield "Access-Control-Allow-Origin", origin
            yield "Access-Control-Expose-Headers", "*"

    @property
    def answers_differ_by_origin(self) -> bool:
        return bool(self._access.origins) and ANY not in self._access.origins

    def _address(self, request: HTTPServerRequest) -> Address:
        forwarded = request.headers.get("X-Forwarded-For", "")
        return client_address(request.remote_ip or "", forwarded, self._access.proxies)

    def _key(self, request: HTTPServerRequest) -> ApiKey | None:
        """That of a header, else that of the session."""
        if secret := _secret(request.headers):
            return find_key(self._access.keys, secret)
        session = self.sessions.of(request)
        return session.key if session else None

    def _is_emergency(self, request: HTTPServerRequest) -> bool:
        """Whether a key that may trade asks for the kill switch: no limit of ours holds that up."""
        if (request.method, request.path) != ("POST", KILL_ROUTE):
            return False
        key = self._key(request)
        return key is not None and "trade" in key.scopes

    def _spend(self, caller: str) -> None:
        wait = self._rate.spend(caller, self._clock.monotonic())
        if wait:
            raise TooManyRequests(
                f"more than {self._access.requests_per_minute} requests a minute: wait", retry_after=wait
            )


def is_spare(request: HTTPServerRequest) -> bool:
    """Whether the request came on a spare connection, for health checks and the kill switch."""
    return bool(getattr(getattr(request.connection, "stream", None), "is_spare", False))


def challenge(error: MarketDataError) -> str | None:
    """The value of `WWW-Authenticate` for an error, None for none."""
    return CHALLENGES.get(error.code) if isinstance(error, Unauthenticated | Forbidden) else None


def _secret(headers: HTTPHeaders) -> str:
    """The key that a request carries, empty if it carries none."""
    if key := headers.get("X-Api-Key"):
        return key
    authorization = headers.get("Authorization", "").strip()
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return authorization and f"no bearer {authorization}"  # with a blank, which no key has: refused
