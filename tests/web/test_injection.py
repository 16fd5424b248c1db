"""Whatever a request says in whatever place, the database is asked only what this program's text can ask.

The database's own profiler tells what it was asked. Allowed are the operators and expressions that stand in
the source of `backend/store`, and collections that are named there or after a series.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

import backend
from backend.core.series import canonical_symbol
from backend.core.windows import MINUTE
from backend.exchanges import EXCHANGES
from backend.services.service import Service
from backend.store.mongo import Database
from tests.examples import examples
from tests.web.stored import START
from tests.web.walking import ENDLESS, methods, routes

PROFILE = "system.profile"
PROFILE_BYTES = 32 << 20
DRIVERS_OWN = {"$db", "$clusterTime", "$readPreference"}
HARMLESS = {"$in", "$match", "$set", "$setOnInsert"}
"""Operators below which a plain text is a value and nothing else."""

EXPRESSIONS = {"$expr", "pipeline", "u", "update", "let"}
"""Parts of commands in which a text that begins with $ is more than a text."""

NASTY = (
    *(
        "$where",
        "..",
        "\0",
        "BTCUSDT\0",
        "x" * 300,
        "$ne",
        "$BTCUSDT",
        "BTC$USDT",
        "BTC.USDT",
        ".BTCUSDT",
        "%00",
    ),
    *("../../admin", "system.profile", "jobs", "coverage", "admin.$cmd", "'; return true; //", "{$gt: ''}"),
    *('{"$gt":""}', "$$NOW", "$lease.token", "ÄÖÜ", "比特币", "\u202eTDSUCTB", "BTC\nUSDT"),
    *("\N{FULLWIDTH DOLLAR SIGN}where", "\N{FULLWIDTH DIGIT ONE}\N{ARABIC-INDIC DIGIT TWO}"),
)
names = st.sampled_from(NASTY) | st.text(max_size=300) | st.text(st.sampled_from("$.{}'\"\\\0/:"), max_size=9)

FIELDS = (
    *("symbol", "symbols", "exchange", "market", "status", "interval", "format", "fields", "order", "fill"),
    *("start_time", "end_time", "limit", "last", "time", "refresh", "wait", "category", "productType", "id"),
)


class Attack(NamedTuple):
    """`name` at `place`: "path", or a field of the query or of the body; there as `shape` makes it."""

    place: str
    name: str
    shape: str


SHAPES = ("text", "operator", "where", "list", "key")

attacks = st.builds(Attack, st.sampled_from(("path", *FIELDS)), names, st.sampled_from(SHAPES))


def shaped(name: str, shape: str) -> object:
    """What stands in the body: the name itself, or something in which a driver could see an operator."""
    return {"operator": {"$gt": name}, "where": {"$where": name}, "list": [name], "key": {name: 1}}.get(
        shape, name
    )


def store_constants() -> set[str]:
    """Every text in the store's source."""
    sources = (Path(backend.__file__).parent / "store").rglob("*.py")
    nodes = (node for source in sources for node in ast.walk(ast.parse(source.read_text())))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


CONSTANTS = store_constants()


def strings(value: object, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every key and every text inside a command, with the keys that lead there."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*way, ""), key
            yield from strings(inner, (*way, key))
    elif isinstance(value, str):
        yield way, value
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            yield from strings(inner, way)


def faults(command: Mapping[str, Any], name: str = "") -> list[str]:
    """What in a command is not of this program's own making; `name` is what a request said."""
    found = []
    for way, text in strings(command):
        is_key = way[-1:] == ("",)
        foreign = text.startswith("$") and text not in CONSTANTS | DRIVERS_OWN
        if foreign and (is_key or EXPRESSIONS & set(way)):
            found.append(f"foreign expression {text!r}")
        operators = {key for key in way if key.startswith("$")} - HARMLESS - DRIVERS_OWN
        said = len(name) > 3 and name not in CONSTANTS and name in text
        if said and (operators or is_key):
            found.append(f"{name!r} as a key or below {operators}")
    return found


def is_ours(collection: str) -> bool:
    """Whether a collection is named in the source, or after a series that could be listed."""
    exchange, _, rest = collection.partition(".")
    market, _, symbol = rest.partition(".")
    if collection in CONSTANTS or collection.startswith("$cmd"):
        return True
    if exchange not in EXCHANGES or market not in EXCHANGES[exchange].markets:
        return False
    try:
        return canonical_symbol(symbol, "-") == symbol and not set("$\0/ ") & set(symbol)
    except ValueError:
        return False


class Profile:
    """What the service's database is asked from now on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = 0

    async def begin(self) -> None:
        await self._database.create_collection(PROFILE, capped=True, size=PROFILE_BYTES)
        await self._database.command("profile", 2)

    async def plant(self, name: str) -> None:
        """Claim that candles are stored under a raw name, so that whoever believes it asks its collection."""
        claimed = {"since": START, "until": START + MINUTE, "held": [[START, START + MINUTE]], "void": []}
        listed = {"exchange": "binance", "market": "spot", "symbol": "BTCUSDT"}
        planted = {"_id": f"binance.spot.{name}"}
        await self._database["coverage"].replace_one(planted, planted | listed | claimed, upsert=True)
        await self.news()

    async def news(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The collection and the command of each operation since this was asked last."""
        asked = {"ns": {"$ne": f"{self._database.name}.{PROFILE}"}}
        found = await self._database[PROFILE].find(asked).skip(self._seen).to_list(None)
        self._seen += len(found)
        return [(one["ns"].removeprefix(f"{self._database.name}."), one.get("command", {})) for one in found]

    async def collections(self) -> set[str]:
        """All that there are."""
        return set(await self._database.list_collection_names()) - {PROFILE}


@pytest.fixture
def profile(database: Database, service: Service, io_loop: IOLoop) -> Profile:
    del service
    found = Profile(database)
    io_loop.run_sync(found.begin)
    return found


async def send(client: AsyncHTTPServerClient, method: str, path: str, attack: Attack) -> int:
    """The status of the answer to an attack on one route."""
    place, name = attack.place, attack.name
    body: dict[str, object] = {"wait": False} if place == "symbols" else {"symbol": "BTCUSDT", "wait": False}
    if place != "path":
        body[place] = shaped(name, attack.shape)
    asks = method in ("GET", "DELETE") and place != "path"
    answer = await client.fetch(
        f"{path}?{place}={quote(name, safe='')}" if asks else path,
        method=method,
        body=json.dumps(body) if method == "POST" else None,
        raise_error=False,
        allow_nonstandard_methods=True,
    )
    if job := answer.headers.get("Location"):
        # An accepted sync may reach over years: it would go on, and other attacks would read all of it.
        await client.fetch(job, method="DELETE", raise_error=False)
    status: int = answer.code
    return status


async def attack_everything(client: AsyncHTTPServerClient, app: Application, attack: Attack) -> None:
    name = quote(attack.name, safe="") if attack.place == "path" else "BTCUSDT"
    for path, handler in routes(app, name):
        for method in ["HEAD"] if path in ENDLESS else methods(handler):
            status = await send(client, method, path, attack)
            assert status < 500, (method, path, attack)


@pytest.mark.timeout(900)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40))
@example(Attack("path", "$where", "text"))
@example(Attack("path", "..", "text"))
@example(Attack("symbol", "BTCUSDT", "operator"))
@example(Attack("symbol", "ÄÖÜ", "text"))
@example(Attack("path", "0000", "text"))
@example(Attack("path", "0.", "text"))
@example(Attack("path", "0..0", "text"))
@example(Attack("start_time", "0000", "text"))
@given(attacks)
def test_no_request_reaches_an_operator_or_a_collection(
    http_server_client: AsyncHTTPServerClient,
    app: Application,
    profile: Profile,
    io_loop: IOLoop,
    attack: Attack,
) -> None:
    io_loop.run_sync(lambda: profile.plant(attack.name))
    io_loop.run_sync(lambda: attack_everything(http_server_client, app, attack))
    operations = io_loop.run_sync(profile.news)
    assert operations, "nothing was written down"
    assert [faults(command, attack.name) for _, command in operations if faults(command, attack.name)] == []
    named = {collection for collection, _ in operations} | io_loop.run_sync(profile.collections)
    assert {collection for collection in named if not is_ours(collection)} == set()


@pytest.mark.timeout(900)
def test_what_requests_say_does_come_to_the_database(
    http_server_client: AsyncHTTPServerClient, app: Application, profile: Profile, io_loop: IOLoop
) -> None:
    attack = Attack("path", "ABCDEFGH", "text")
    io_loop.run_sync(lambda: attack_everything(http_server_client, app, attack))
    told = [command for _, command in io_loop.run_sync(profile.news)]
    assert any("ABCDEFGH" in text for command in told for _, text in strings(command))


@pytest.mark.parametrize(
    "command",
    [
        {"find": "jobs", "filter": {"_id": {"$where": "sleep(1)"}}},
        {"find": "jobs", "filter": {"$nor": [{"_id": "x"}]}},
        {"update": "jobs", "u": [{"$set": {"status": "$token"}}]},
        {"find": "jobs", "filter": {"_id": {"$gte": "hostile"}}},
        {"find": "jobs", "filter": {"hostile": 1}},
    ],
)
def test_an_injection_would_be_seen(command: dict[str, Any]) -> None:
    assert faults(command, "hostile")


@pytest.mark.parametrize("command", [{"find": "jobs", "filter": {"_id": "hostile"}, "$db": "$candles"}])
def test_a_plain_question_is_none(command: dict[str, Any]) -> None:
    assert faults(command, "hostile") == []


@pytest.mark.parametrize(
    "name", ["$where", "jobs.$cmd", "nyse.spot.A", "binance.spot.a", "binance.spot.$where"]
)
def test_a_foreign_collection_would_be_seen(name: str) -> None:
    assert not is_ours(name)
