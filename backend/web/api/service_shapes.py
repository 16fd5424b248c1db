"""The shapes of answers about the service itself. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from backend.access.keys import Scope
from backend.web.api.common_shapes import Answer, Count, Moment, Shape


class Market(Shape):
    exchange: str
    market: str
    imported: Annotated[bool, Meta(description="`true`: the service imports files of its candles")]
    pushed: Annotated[bool, Meta(description="`true`: the exchange pushes its candles to this service")]


class About(Answer, kw_only=True):
    """What the service is, and what you may do."""

    version: str
    markets: list[Market]
    key: Annotated[str | None, Meta(description="Name of the key that you sent")]
    scopes: list[Scope]


class Session(Answer, kw_only=True):
    """Who you are, and what you may do."""

    key: Annotated[str | None, Meta(description="Name of your key; null: you sent no key")]
    scopes: list[Scope]
    until: Annotated[Moment | None, Meta(description="End of your session; null: you have no session")]


class Process(Shape):
    """One of the processes that share the database, and what it does."""

    name: Annotated[str, Meta(description="`host/boot/namespace:process number:random`")]
    here: Annotated[bool, Meta(description="Whether it is the one that answers")]
    works: Annotated[bool, Meta(description="Whether it does jobs and looks after follows")]
    egress: Annotated[str, Meta(description="The address that it reaches exchanges from: see EGRESS")]
    share: Annotated[
        float,
        Meta(
            description="Its part of that address' rate budgets, of 1; orders of `ROLE=api` have more",
            ge=0,
            le=1,
        ),
    ]
    jobs: Annotated[Count, Meta(description="Jobs that it does now")]
    follows: Annotated[Count, Meta(description="Series that it looks after")]


class Processes(Answer, kw_only=True):
    count: Count
    processes: list[Process]


class Alive(Shape):
    status: Literal["alive"]


class Healthy(Shape):
    status: Literal["healthy"]
    service: str
    database: Literal["connected"]


class Unhealthy(Shape):
    status: Literal["unhealthy"]
    service: str
    database: Literal["disconnected"]


Troubles = Annotated[list[str], Meta(description="One sentence for each thing that does not work")]
Worker = Literal["running", "stopped", "none"]


class Ready(Shape):
    status: Literal["ready"]
    database: Literal["connected"]
    worker: Worker
    troubles: Annotated[list[str], Meta(max_length=0)]


class NotReady(Shape):
    status: Literal["not_ready"]
    database: Literal["connected", "disconnected"]
    worker: Worker
    troubles: Troubles
