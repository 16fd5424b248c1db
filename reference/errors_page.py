"""docs/reference/errors.md: every error code with its status and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from backend.web.openapi.codes import CODES, responses
from backend.web.openapi.parts import HEADERS, named
from reference.markdown import page, table

SHAPE = """\
Every error has one shape: `{"success":false,"error":{"code":"...","message":"..."}}`. Programs may rely on
the code. The message is a sentence for people. A venue's own interface for bots answers errors in that
venue's shape."""


def errors_page() -> str:
    return page("Errors", SHAPE, *_sections())


def _sections() -> Iterator[str]:
    told = responses()
    for status, codes in CODES.items():
        response = told[named(status)]
        yield f"## {status.value}"
        yield "\n".join((f"{response['description']}.", *_headers(response["headers"])))
        yield table(("code", "meaning"), [(f"`{code}`", about) for code, about in codes.items()])


def _headers(headers: dict[str, dict[str, str]]) -> Iterator[str]:
    for name in headers.keys() - HEADERS.keys():
        yield f"With `{name}`: {headers[name]['description'][0].lower()}{headers[name]['description'][1:]}."
