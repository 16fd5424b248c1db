"""Jobs in MongoDB: collection `jobs`, one document a job, which vanishes a week after its end.

{"_id": "5f0c..", "series": "binance.spot.BTCUSDT", "exchange": .., "market": .., "symbol": ..,
 "start": null, "end": null, "refresh": false, "status": "running", "active": true, "created": 1750000000000,
 "key": "binance.spot.BTCUSDT None None False", "started": .., "window": [start, end], "tally": {..},
 "rate": 1234.5, "failure": null, "cancelling": false, "tries": 0, "token": "9a1e.."}

`key` is unique. A job has it while an equal request may join the job. `token` is the token of the lease under
which the job runs. Only its owner can write the job's progress and result.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from backend.clock import EPOCH
from backend.core.job import Failure, Job, Status, SyncRequest, Tally
from backend.core.series import Series
from backend.core.windows import Window
from backend.store.mongo import Database, Document, guard
from backend.store.readable import Readable

COLLECTION = "jobs"
KEPT = timedelta(days=7)


class MongoJobs:
    """Fits `services.ports.JobStore`."""

    def __init__(self, database: Database) -> None:
        self._collection = database[COLLECTION]
        self._readable = Readable(COLLECTION, _job)
        self._indexed = False

    async def add(self, job: Job) -> Job:
        """Keep a new job; or the equal one that is not over, if there is one."""
        with guard("write a job down"):
            await self._index()
            while True:
                try:
                    await self._collection.insert_one(_document(job))
                    return job
                except DuplicateKeyError:
                    if document := await self._collection.find_one({"key": _key(job.request)}):
                        return _job(document)

    async def load(self, job_id: str) -> Job | None:
        """The job, None if there is no such."""
        with guard("read a job"):
            document = await self._collection.find_one({"_id": job_id})
        return _job(document) if document else None

    async def load_all(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of some jobs that there are, by id."""
        jobs = await self._find({"_id": {"$in": list(job_ids)}}, 1, max(1, len(job_ids)))
        return {job.id: job for job in jobs}

    async def newest(self, limit: int, status: Status | None = None) -> list[Job]:
        """The newest jobs, newest first."""
        return await self._find({"status": status} if status else {}, -1, limit)

    async def active(self, limit: int, among: Collection[str] | None = None) -> list[Job]:
        """The jobs that are not over, oldest first; with `among` only those of these ids."""
        ours = {} if among is None else {"_id": {"$in": list(among)}}
        return await self._find({"active": True} | ours, 1, limit)

    async def active_of(self, series: Sequence[Series]) -> list[Job]:
        """The jobs of some series that are not over, oldest first."""
        return await self._find({"active": True, "series": {"$in": [one.name for one in series]}}, 1)

    async def queued(self) -> int:
        """How many jobs wait to be begun."""
        return await self._count("queued")

    async def running(self) -> int:
        """How many jobs were begun and are not over."""
        return await self._count("running")

    async def begin(self, job_id: str, token: str, now: int) -> Job | None:
        """Make a job that is not over run under the lease `token`; None if it is over."""
        with guard("begin a job"):
            document = await self._collection.find_one_and_update(
                {"_id": job_id, "active": True},
                {
                    "$set": {"status": "running", "token": token},
                    "$min": {"started": now},
                    "$inc": {"tries": 1},
                },
                return_document=ReturnDocument.AFTER,
            )
        return _job(document) if document else None

    async def report(self, job: Job, token: str) -> bool:
        """Store the progress of a job. True if somebody wants to cancel it."""
        with guard("write down how far a job is"):
            document = await self._collection.find_one_and_update(
                {"_id": job.id, "token": token, "status": "running"},
                {"$set": _course(job)},
                projection={"cancelling": 1},
            )
        return bool(document and document["cancelling"])

    async def finish(self, job: Job, token: str) -> None:
        """Store the result of a job, or that it waits again."""
        ended: Document = {"status": job.status, "active": not job.over} | _course(job)
        gone: Document = {"token": 1}
        if job.finished is not None:
            ended |= _ended(job.finished)
            gone["key"] = 1
        with guard("write down how a job ended"):
            await self._collection.update_one(
                {"_id": job.id, "token": token, "status": "running"}, {"$set": ended, "$unset": gone}
            )

    async def cancel(self, job_id: str, now: int) -> Job | None:
        """End a job that is queued; ask for the end of one that runs."""
        changes: dict[str, Document] = {
            "queued": {"status": "cancelled", "active": False} | _ended(now),
            "running": {"cancelling": True},
        }
        with guard("cancel a job"):
            for status, change in changes.items():
                document = await self._collection.find_one_and_update(
                    {"_id": job_id, "status": status},
                    {"$set": change, "$unset": {"key": 1}},
                    return_document=ReturnDocument.AFTER,
                )
                if document:
                    return _job(document)
        return await self.load(job_id)

    async def count_over(self, series: Series) -> int:
        """How many jobs of a series are over."""
        with guard(f"count the jobs of {series.name}"):
            return await self._collection.count_documents({"series": series.name, "active": False})

    async def forget(self, series: Series) -> None:
        """Forget the jobs of a series that are over."""
        with guard(f"delete the jobs of {series.name}"):
            await self._collection.delete_many({"series": series.name, "active": False})

    async def _count(self, status: Status) -> int:
        with guard(f"count the {status} jobs"):
            return await self._collection.count_documents({"active": True, "status": status})

    async def _find(self, wanted: Document, order: int, limit: int = 0) -> list[Job]:
        with guard("list the jobs"):
            cursor = self._collection.find(wanted).sort([("created", order), ("_id", order)]).limit(limit)
            return list(self._readable(await cursor.to_list(None)))

    async def _index(self) -> None:
        if not self._indexed:
            await self._collection.create_index(
                "key", unique=True, partialFilterExpression={"key": {"$exists": True}}
            )
            await self._collection.create_index([("active", 1), ("created", 1)])
            await self._collection.create_index([("created", -1)])
            await self._collection.create_index("expire_at", expireAfterSeconds=0)
            self._indexed = True


def _key(request: SyncRequest) -> str:
    return f"{request.series.name} {request.start} {request.end} {request.refresh}"


def _document(job: Job) -> Document:
    request = job.request
    return {
        "_id": job.id,
        "series": request.series.name,
        "exchange": request.series.exchange,
        "market": request.series.market,
        "symbol": request.series.symbol,
        "start": request.start,
        "end": request.end,
        "refresh": request.refresh,
        "key": _key(request),
        "status": job.status,
        "active": not job.over,
        "created": job.created,
        "cancelling": job.cancelling,
    } | _course(job)


def _course(job: Job) -> Document:
    return {
        "window": job.window and list(job.window),
        "tally": asdict(job.tally),
        "rate": job.rate,
        "failure": job.failure and job.failure._asdict(),
        "notes": list(job.notes),
        "tries": job.tries,
    }


def _ended(moment: int) -> Document:
    return {"finished": moment, "expire_at": EPOCH + timedelta(milliseconds=moment) + KEPT}


def _job(document: Document) -> Job:
    window, failure = document["window"], document["failure"]
    return Job(
        id=document["_id"],
        request=SyncRequest(
            Series(document["exchange"], document["market"], document["symbol"]),
            document["start"],
            document["end"],
            document["refresh"],
        ),
        created=document["created"],
        status=document["status"],
        started=document.get("started"),
        finished=document.get("finished"),
        window=window and Window(*window),
        tally=Tally(**document["tally"]),
        rate=document["rate"],
        failure=failure and Failure(**failure),
        notes=tuple(document["notes"]),
        cancelling=document["cancelling"],
        tries=document["tries"],
    )
