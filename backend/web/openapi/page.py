"""The document as one HTML page for people: no script, no other file, no foreign address. Pure."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from http import HTTPStatus

from backend.web.openapi.parts import named
from backend.web.openapi.wording import kind
from backend.web.server.json_schema import Json

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--far:light-dark(#666,#aaa)}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}
h2{font-size:1.2rem;margin:2rem 0 .2rem}h3{font-size:1rem;margin:1rem 0 .2rem}
p{margin:.3rem 0}nav a{margin-right:1rem;display:inline-block}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.4rem .7rem}
summary{cursor:pointer}details[open]>summary{margin-bottom:.5rem}
small{color:var(--far);display:block}summary small{padding-left:1.1rem}
code{font:.9em ui-monospace,monospace;background:var(--soft)}
b.get{color:light-dark(#1b6a8e,#6cc0e8)}b.post{color:light-dark(#1f7a30,#6fd083)}
b.delete{color:light-dark(#b23325,#f0897c)}
table{border-collapse:collapse;width:100%}td:first-child{width:30%}
td{border-top:1px solid var(--line);padding:.3rem .6rem .3rem 0;vertical-align:top}
"""

POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""`Content-Security-Policy`: the page needs nothing but its own style."""

METHODS = ("get", "post", "delete")


def page(document: Json) -> str:
    """The page. All that the document says is escaped."""
    tags = document["tags"]
    info = document["info"]
    description = escape(f"{document['servers'][0]['url'].rstrip('/')}/openapi.json")
    links = "".join(f'<a href="#{escape(tag["name"])}">{escape(tag["name"])}</a>' for tag in tags)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{_paragraphs(info['description'])}"
        f'<p>For programs: <a href="{description}">{description}</a></p>'
        f'<nav>{links}<a href="#errors">errors</a><a href="#shapes">shapes</a></nav>'
        f"{''.join(_tag(document, tag) for tag in tags)}{_errors(document)}{_shapes(document)}</body></html>"
    )


def _tag(document: Json, tag: Json) -> str:
    routes = "".join(
        _operation(document, path, method, item)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and tag["name"] in item[method]["tags"]
    )
    name = escape(tag["name"])
    return f'<section id="{name}"><h2>{name}</h2>{_paragraphs(tag["description"])}{routes}</section>'


def _operation(document: Json, path: str, method: str, item: Json) -> str:
    described = item[method]
    parameters = [*item.get("parameters", ()), *described.get("parameters", ())]
    body = described.get("requestBody", {}).get("content", {})
    return (
        f'<details><summary><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code>'
        f"<small>{escape(described['summary'])}</small></summary>"
        f"{_table('Parameters', [_parameter(one) for one in parameters])}"
        f"{_table('Body, in JSON', _body(body))}"
        f"{_table('Answers', _answers(document, described['responses']))}</details>"
    )


def _parameter(one: Json) -> tuple[str, str]:
    place = one["in"] + (", needed" if one["required"] else "")
    about = f"{_text(one['description'])} <small>{escape(kind(one['schema']))}</small>"
    return f"<code>{escape(one['name'])}</code> <small>{place}</small>", about


def _body(content: Json) -> list[tuple[str, str]]:
    fields = {
        name: schema
        for media in content.values()
        for name, schema in media["schema"].get("properties", {}).items()
    }
    return [
        (
            f"<code>{escape(name)}</code>",
            f"{_text(schema.get('description', ''))} <small>{escape(kind(schema))}</small>",
        )
        for name, schema in fields.items()
    ]


def _answers(document: Json, responses: Json) -> list[tuple[str, str]]:
    """What an operation answers; of errors that many answer, the codes stand in a section of their own."""
    errors = document["components"]["responses"]
    return [
        (f'<a href="#errors">{status}</a>', _text(errors[given["$ref"].rpartition("/")[2]]["description"]))
        if "$ref" in given
        else (status, _answer(given))
        for status, given in responses.items()
    ]


def _answer(given: Json) -> str:
    shapes = [
        f"{media.partition(';')[0]}: {kind(content['schema'])}" if "schema" in content else media
        for media, content in given.get("content", {}).items()
    ]
    told = "".join(f"<small>{escape(shape)}</small>" for shape in shapes)
    return f"{_text(given['description'])}{told}"


def _errors(document: Json) -> str:
    answers = document["components"]["responses"]
    rows = [
        (str(status.value), _answer(answers[named(status)]))
        for status in HTTPStatus
        if named(status) in answers
    ]
    return f'<section id="errors"><h2>errors</h2>{_table("", rows)}</section>'


def _shapes(document: Json) -> str:
    schemas = document["components"]["schemas"]
    shapes = "".join(_shape(name, schema) for name, schema in schemas.items())
    return f'<section id="shapes"><h2>shapes</h2>{shapes}</section>'


def _shape(name: str, schema: Json) -> str:
    title = f"<summary><code>{escape(name)}</code></summary>"
    about = _paragraphs(schema["description"]) if "description" in schema else ""
    if "enum" in schema:
        return f"<details>{title}{about}<p>{escape(kind(schema))}</p></details>"
    return f"<details>{title}{about}{_table('', _fields(schema))}</details>"


def _fields(schema: Json) -> list[tuple[str, str]]:
    needed = schema.get("required", ())
    return [
        (
            f"<code>{escape(name)}</code>{'' if name in needed else ' <small>if known</small>'}",
            f"{_text(one.get('description', ''))} <small>{escape(kind(one))}</small>",
        )
        for name, one in schema["properties"].items()
    ]


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    head = f"<h3>{title}</h3>" if title else ""
    lines = "".join(f"<tr><td>{name}</td><td>{about}</td></tr>" for name, about in rows)
    return f"{head}<table>{lines}</table>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n"))


def _text(text: str) -> str:
    """Text with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
