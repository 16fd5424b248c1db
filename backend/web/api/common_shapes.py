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
Next = Annotated[int | None, Meta(description="Start of the next page; null: this is the last page")]
NextName = Annotated[
    str | None, Meta(description="The `start` of the next page; null: this is the last page")
]
TotalRecords = Annotated[Count, Meta(description="Candles that are stored")]
FirstRecord = Annotated[Moment | None, Meta(description="Open time of the first stored candle")]
LastRecord = Annotated[Moment | None, Meta(description="Open time of the newest stored candle")]
MissingRecords = Annotated[Count, Meta(description="Minutes that are neither stored nor void")]
VoidRecords = Annotated[Count, Meta(description="Minutes that the exchange does not have")]
Complete = Annotated[bool, Meta(description="`true`: no minute is missing")]
NewRecords = Annotated[Count, Meta(description="Candles that were new")]
RevisedRecords = Annotated[Count, Meta(description="Stored candles that the exchange has changed")]
OffGridRows = Annotated[
    Count, Meta(description="Rows that do not open at a whole minute; the service leaves them out")
]
ContradictoryRows = Annotated[
    Count, Meta(description="Rows whose prices contradict each other; the service leaves them out")
]
ArchiveFiles = Annotated[Count, Meta(description="Files from the exchange's archive")]
Notes = Annotated[list[str], Meta(description="Sentences about anything unusual")]


class Shape(Struct, forbid_unknown_fields=True):
    """Fields that are always there; there are no others."""


class Answer(Shape):
    """The body of a successful answer."""

    success: Annotated[bool, Meta(extra_json_schema={"const": True})] = True


class Window(Shape):
    """Minutes, from the first to the last open time, both included."""

    start_time: Moment
    end_time: Moment
    minutes: Annotated[int, Meta(ge=1)]


class Absence(Window):
    """Minutes that the exchange does not have."""

    reason: VoidReason


class Void(Absence):
    """Minutes that the exchange does not have, with the times of the last answer and the next question."""

    confirmed: Annotated[Moment, Meta(description="Time of the exchange's last answer about it")]
    ask_again: Annotated[Moment | None, Meta(description="Time of the next question to the exchange")]


class Failure(Shape):
    """A code for programs and a sentence for people."""

    code: str
    message: str
