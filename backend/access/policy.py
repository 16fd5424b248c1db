"""The access settings, and their result for one request."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass

from backend.access.hosts import is_ours
from backend.access.keys import TRADING_SCOPES, ApiKey, Scope
from backend.access.networks import Address, Network, is_within
from backend.errors import Forbidden, Misdirected, Unauthenticated

HEALTH_ROUTES = frozenset(("/health", "/health/live", "/health/ready"))
"""Routes without a key and without a rate limit."""

SESSION_ROUTE = "/api/session"
"""The route that makes a session from a key."""

OPEN_ROUTES = HEALTH_ROUTES | {"/openapi.json", "/docs", "/", "/ui", SESSION_ROUTE}
"""Routes without a key: they show no stored data, and a browser that opens a page sends no key."""

OPEN_FOLDER = "/ui/"
"""The files of the page need no key either."""

ACCOUNT_ROUTES = frozenset(
    (
        *("accounts", "account", "stream", "orders", "trades", "ledger", "extract-orders", "test"),
        *("intents", "positions", "kill", "audit", "twap"),
        *("strategies", "alarms", "operations", "triggers", "replays"),
    )
)
"""The first parts of paths that read or change accounts."""

EXTENDED_PREFIX = "/extended/v1"
"""What stands before the paths of Extended's own interface."""

WEBHOOK_ROUTE = "/webhook"
"""The route of alarms. It has an address list and tokens of its own."""

KILL_ROUTE = "/kill"
"""The route of the kill switch: no limit of requests or connections holds it up."""

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Without `keys` everybody may do everything; without `networks` from everywhere."""

    keys: tuple[ApiKey, ...] = ()
    public_read: bool = False
    origins: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()
    requests_per_minute: int = 0
    names: frozenset[str] = frozenset()
    alarm_networks: tuple[Network, ...] = ()

    def may_send_alarms(self, address: Address) -> bool:
        """Whether alarms from this address are let in."""
        return is_within(address, self.alarm_networks)

    @property
    def reads_need_key(self) -> bool:
        return bool(self.keys) and not self.public_read

    def check_network(self, address: Address, path: str) -> None:
        """Raise Forbidden for a client outside the allowed networks. This machine may always send health
        checks."""
        if not self.networks or is_within(address, self.networks):
            return
        if not (address.is_loopback and path in HEALTH_ROUTES):
            raise Forbidden(
                f"the service accepts no requests from {address}: see ALLOWED_NETWORKS",
                code="address_not_allowed",
            )

    def check_host(self, host: str | None) -> None:
        """Raise Misdirected for an unknown name. Every browser sends the header."""
        if host is not None and not is_ours(host, self.names):
            raise Misdirected(
                f"{reprlib.repr(host)} is not a name of this service: use its address, localhost or a name "
                "from the setting SERVER_NAMES"
            )

    def check_scope(self, method: str, path: str, key: ApiKey | None, *, presented: bool) -> None:
        """Raise an error if the request needs a key, or if the `presented` key is unknown or lacks the
        scope."""
        scopes = scopes_of(method, path)
        if not self.keys:
            return
        if presented and key is None:
            raise Unauthenticated("the service does not know this key", code="invalid_key")
        if any(self.allows(scope, key) for scope in scopes):
            return
        if key is None:
            raise Unauthenticated(
                "send a key in the header X-Api-Key, or in Authorization: Bearer", code="missing_key"
            )
        raise Forbidden(
            f"the key {key.name} does not have the scope {' or '.join(scopes)}", code="missing_scope"
        )

    def allows(self, scope: Scope, key: ApiKey | None) -> bool:
        """Whether somebody with this key, or without one, has `scope`."""
        if scope in TRADING_SCOPES:
            return key is not None and scope in key.scopes
        is_public = not self.keys or (scope == "read" and self.public_read)
        return is_public or (key is not None and scope in key.scopes)


def is_webhook(path: str) -> bool:
    """Whether a path takes alarms: their sender has neither a key nor a network of ours."""
    return path == WEBHOOK_ROUTE or path.startswith(f"{WEBHOOK_ROUTE}/")


def is_open(path: str) -> bool:
    """Whether a path needs no key."""
    return path in OPEN_ROUTES or path.startswith(OPEN_FOLDER)


def scopes_of(method: str, path: str) -> tuple[Scope, ...]:
    """The scopes of a request; one of them is enough. Every method that is not safe needs more than `read`.

    Whoever trades, moves funds or administers sees accounts; accounts are changed by `admin` alone.
    """
    is_safe = method in SAFE_METHODS
    own = path.removeprefix(EXTENDED_PREFIX)
    first = own.split("/", 2)[1] if own.startswith("/") else ""
    if first not in ACCOUNT_ROUTES:
        return ("read",) if is_safe else ("write",)
    if is_safe:
        return ("trade", "funds", "admin")
    return ("admin",) if first == "accounts" else ("trade",)
