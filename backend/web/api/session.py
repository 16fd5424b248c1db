"""`/api/session`: a key that a person types once on the page becomes a signed cookie."""

from __future__ import annotations

from typing import TypedDict

from backend.access.sessions import KEPT_MS
from backend.web.api.common_views import maybe_iso
from backend.web.api.service_shapes import Session
from backend.web.server.handler import ApiHandler
from backend.web.server.json_schema import TEXT
from backend.web.server.parameters import Parameter, flag
from backend.web.server.sessions import check_page, name_at


def _any_text(_: str, value: object) -> str:
    """A value that is not a text is not a key."""
    return value if isinstance(value, str) else ""


KEY: Parameter[str] = Parameter("key", "A key of the setting `API_KEYS`", TEXT, _any_text, "", refusals=())
KEEP = flag(
    "keep",
    "`true`: the browser keeps the session for 30 days; else for 12 hours, or until you close the browser",
)
PARAMETERS = (KEY, KEEP)


class CookieManner(TypedDict):
    """Attributes of `Set-Cookie`."""

    path: str
    httponly: bool
    samesite: str
    secure: bool


class SessionHandler(ApiHandler):
    def get(self) -> None:
        self.query(())
        session = self.guard.sessions.of(self.request)
        key, scopes = self.guard.rights(self.request)
        self._tell(Session(key=key, scopes=scopes, until=maybe_iso(session.until if session else None)))

    def post(self) -> None:
        self.query(())
        values = self.json_object(PARAMETERS)
        keep = values[KEEP]
        session = self.guard.sessions.begin(self.request, values[KEY], keep=keep)
        value = self.guard.sessions.signed(self.request, session)
        self.set_cookie(
            name_at(self.request), value, max_age=KEPT_MS // 1000 if keep else None, **self._manner
        )
        key = session.key
        self._tell(Session(key=key.name, scopes=self.guard.scopes(key), until=maybe_iso(session.until)))

    def delete(self) -> None:
        self.query(())
        check_page(self.request)
        self.clear_cookie(name_at(self.request), **self._manner)
        self._tell(Session(key=None, scopes=self.guard.scopes(None), until=None))

    @property
    def _manner(self) -> CookieManner:
        """Attributes of the cookie. `Origin` says whether the page came over TLS, also behind a proxy."""
        return CookieManner(
            path=self.base_path or "/",
            httponly=True,
            samesite="Strict",
            secure=self.request.headers.get("Origin", "").lower().startswith("https:"),
        )

    def _tell(self, session: Session) -> None:
        self.set_header("Cache-Control", "no-store")
        self.answer(session)
