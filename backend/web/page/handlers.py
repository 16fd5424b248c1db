"""`GET /`, `/ui` and everything below `/ui/`: the page for people."""

from __future__ import annotations

from http import HTTPStatus

from tornado.web import HTTPError

from backend.web.page.assets import assets, shell
from backend.web.server.handler import ApiHandler
from backend.web.server.negotiation import weighed

POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect")),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""`Content-Security-Policy`: nothing but our own files, nothing inline, and no text that becomes markup."""

FOR_EVER = "public, max-age=31536000, immutable"
FILES = "files/"


class PageHandler(ApiHandler):
    """The same shell at every address, which decides itself what it shows; and its files."""

    def get(self, path: str = "") -> None:
        self.set_header("Content-Security-Policy", POLICY)
        if path.startswith(FILES):
            self._send_file(path.removeprefix(FILES))
        else:
            self.set_header("Content-Type", "text/html; charset=UTF-8")
            self.set_header("Cache-Control", "no-cache")
            self.finish(shell(self.base_path))

    def _send_file(self, path: str) -> None:
        mark, _, name = path.partition("/")
        asset = assets().files.get(name)
        if asset is None or mark != assets().mark:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header("Content-Type", asset.media_type)
        self.set_header("Cache-Control", FOR_EVER)
        self.set_header("Vary", "Accept-Encoding")
        if dict(weighed(self.request.headers.get("Accept-Encoding", ""))).get("gzip", 0.0) > 0:
            self.set_header("Content-Encoding", "gzip")
            self.finish(asset.compressed)
        else:
            self.finish(asset.body)
