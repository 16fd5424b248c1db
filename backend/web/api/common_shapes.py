"""The fields of answers, each declared once: what several answers have.

Handlers answer with shapes. The OpenAPI document, `/docs` and docs/reference/api.md are made from them, with
the sentence of each class. Pure.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from backend.core.coverage import VoidReason

Count = Annotated[int, Meta(ge=0)]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Next = Annotated[int | None, Meta(description="Where the following page begins; null: there is none")]
NextName = Annotated[str | None, Meta(description="The `start` of the following page; null: there is none")]
TotalRecords = Annotated[Count, Meta(description="Candles that are stored")]
FirstRecord = Annotated[Moment | None, Meta(description="Open time of the first stored candle")]
LastRecord = Annotated[Moment | None, Meta(description="Open time of the newest stored candle")]
MissingRecords = Annotated[Count, Meta(description="Minutes that are neither stored nor known not to exist")]
VoidRecords = Annotated[Count, Meta(description="Minutes that the exchange does not have")]
Complete = Annotated[bool, Meta(description="Whether nothing is missing")]
NewRecords = Annotated[Count, Meta(description="Candles that were stored")]
RevisedRecords = Annotated[Count, Meta(description="Stored candles that the exchange now tells differently")]
OffGridRows = Annotated[Count, Meta(description="Rows that open at no whole minute, and are left out")]
ContradictoryRows = Annotated[
    Count, Meta(description="Rows whose prices contradict each other, and are left out")
]
ArchiveFiles = Annotated[Count, Meta(description="Files that came from the exchange's archive")]
Notes = Annotated[list[str], Meta(description="Sentences on what was unusual")]


class Shape(Struct, forbid_unknown_fields=True):
    """Fields that are always there, and no others."""


class Answer(Shape):
    """The body of an answer that went well."""

    success: Annotated[bool, Meta(extra_json_schema={"const": True})] = True


class Window(Shape):
    """Minutes, the first and the last open time included."""

    start_time: Moment
    end_time: Moment
    minutes: Annotated[int, Meta(ge=1)]


class Absence(Window):
    """Minutes that the exchange does not have."""

    reason: VoidReason


class Void(Absence):
    """Minutes that the exchange does not have, when that was confirmed and when it is asked again."""

    confirmed: Annotated[Moment, Meta(description="When that was confirmed")]
    ask_again: Annotated[Moment | None, Meta(description="When it is asked for again")]


class Failure(Shape):
    """A code for programs and a sentence for people."""

    code: str
    message: str
