"""GET /api/processes: who shares the database, and what each of them does."""

from __future__ import annotations

from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.follow import Follow, keeper_of
from backend.core.job import Job, SyncRequest
from backend.core.series import Series
from backend.services.ports import Member
from backend.store.market.coverage import MongoCoverage
from backend.store.market.follows import MongoFollows
from backend.store.market.jobs import MongoJobs
from backend.store.market.processes import MongoFleet
from backend.store.mongo import Database
from tests.web.client import error_code, get

OTHER, FRONT = Member("other", "", 1.0, works=True), Member("front", "vpn", 0.05, works=False)
MANY = [Series("no", "where", f"S{number}USDT") for number in range(20)]


async def test_alone_a_process_does_everything(http_server_client: AsyncHTTPServerClient) -> None:
    body = (await get(http_server_client, "/api/processes")).body
    [alone] = body["processes"]
    assert body["count"] == 1
    assert (alone["here"], alone["works"], alone["share"], alone["jobs"]) == (True, True, 1.0, 0)


async def test_each_process_has_its_share_its_jobs_and_its_follows(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    fleet = MongoFleet(database)
    for one in (OTHER, FRONT):
        await fleet.beat(one, 60)
    # The lease comes first: the service itself visits follows and takes jobs.
    lease = await MongoCoverage(database).acquire(MANY[0], OTHER.name, 60)
    assert lease is not None
    await MongoJobs(database).add(Job("1" * 32, SyncRequest(MANY[0], 0, 60_000), created=1))
    assert await MongoJobs(database).begin("1" * 32, lease.token, 2)
    for series in MANY:
        await MongoFollows(database).add(Follow(series, None, created=1))
    found = {one["name"]: one for one in (await get(http_server_client, "/api/processes")).body["processes"]}
    [ours] = found.keys() - {"other", "front"}
    assert [found[name]["here"] for name in (ours, "other", "front")] == [True, False, False]
    assert [found[name]["share"] for name in (ours, "other", "front")] == [0.5, 0.5, 1.0]
    assert [found[name]["jobs"] for name in (ours, "other", "front")] == [0, 1, 0]
    kept = [keeper_of(series, [ours, "other"]) for series in MANY]
    assert [found[name]["follows"] for name in (ours, "other", "front")] == [
        kept.count(ours),
        kept.count("other"),
        0,
    ]


async def test_nothing_is_to_be_asked(http_server_client: AsyncHTTPServerClient) -> None:
    assert error_code(await get(http_server_client, "/api/processes?limit=1")) == "unknown_parameter"
