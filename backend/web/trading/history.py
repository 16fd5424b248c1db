"""`/orders/history`, `/trades`, `/ledger`, `/extract-orders`: an account's history, how complete it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import nullcontext
from typing import TypedDict

import msgspec

from backend.core.windows import DAY
from backend.errors import InvalidRequest, error_named
from backend.formats.records import RECORD_FORMATS, RecordFormat
from backend.services.history.ports import Place, RowsWanted
from backend.trading.extraction import Extraction, Stage
from backend.trading.history import Kind, Row
from backend.trading.rows import Bill, Fill, Order, Product
from backend.web.server.caching import disposition
from backend.web.server.json_schema import NUMBER, Json, choice, listed
from backend.web.server.parameters import Parameter, Values, flag, invalid, moment, one_of, text, whole
from backend.web.streams.long_answer import unless_gone
from backend.web.trading import account_views
from backend.web.trading import history_shapes as shapes
from backend.web.trading import history_views as views
from backend.web.trading.handler import ACCOUNT, PRODUCT, PRODUCTS, TradingHandler

LONGEST_WAIT = 600
BATCH = 1000

SYMBOL = text("symbol", "Only this symbol, in the exchange's own spelling", default="")
START_TIME = moment("start_time", "Only rows from then on")
END_TIME = moment("end_time", "Only rows up to then, included")
LIMIT = whole("limit", "So many rows at most", highest=1000, default=100)
FORMAT = one_of(
    "format",
    {"json": "json", **{name: name for name in RECORD_FORMATS}},
    "`json`, in pages; the others tell all rows at once, one after the other",
    default="json",
    shown="json",
)


def _after(name: str, value: object) -> Place:
    time, _, row = str(value).partition("~")
    if not (time.isascii() and time.isdigit() and len(time) < 16 and 0 < len(row) <= 300):
        raise invalid(name, "the `next` of a page")
    return Place(int(time), row)


AFTER: Parameter[Place | None] = Parameter(
    "after", "The `next` of the page before", {"type": "string"}, _after, None
)
ROWS = (ACCOUNT, PRODUCT, SYMBOL, START_TIME, END_TIME, LIMIT, AFTER, FORMAT)


def _products(_name: str, value: object) -> tuple[Product, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one in PRODUCTS for one in value):
        raise InvalidRequest(f"products must be a list of {', '.join(PRODUCTS)}", code="unknown_product")
    return tuple(dict.fromkeys(PRODUCTS[one] for one in value))


def _wait(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_WAIT:
        raise invalid(name, f"seconds from 0 to {LONGEST_WAIT}")
    return float(value)


_LIST: Json = listed(choice(PRODUCTS))
PRODUCTS_WANTED: Parameter[tuple[Product, ...]] = Parameter(
    "products", "Only these products; left out, all that the account has", _LIST, _products, (), refusals=()
)
SINCE = moment("since", "Read the history from then on; left out, from the account's first moment")
WAIT: Parameter[float] = Parameter(
    "wait",
    "Seconds to wait for the end, and then get all orders",
    NUMBER | {"minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
    _wait,
    0.0,
)
TEST_MODE = flag("test_mode", "Read the last day only, to see that all works")
EXTRACTING = (ACCOUNT, PRODUCTS_WANTED, SINCE, WAIT, TEST_MODE)
LISTING = (ACCOUNT, LIMIT)
STAGE = (ACCOUNT, PRODUCT, SYMBOL)
NAMES = {Kind.ORDERS: "orders", Kind.FILLS: "trades", Kind.BILLS: "ledger"}
"""What files of a history are called."""

STAGES = {
    "coordinator": Stage.COORDINATOR,
    "symbol-processor": Stage.SYMBOLS,
    "result-collector": Stage.COLLECTOR,
}


class PageHead(TypedDict):
    """What every page says beside its rows."""

    account: str
    count: int
    next: str | None
    completeness: shapes.Completeness


class HistoryHandler(TradingHandler):
    """Base of what tells of histories."""

    async def completeness(self, account: str) -> shapes.Completeness:
        return views.completeness(await self.trading.histories.completeness(account))

    async def extracted(self, wanted: Extraction, patience: float) -> Extraction:
        """An extraction when it is over, or as it stands after `patience` seconds. Ends with its client."""
        extractions = self.trading.extractions
        with self.rooms.waiting.place(self.client) if patience else nullcontext():
            asked = await extractions.submit(wanted)
            return await unless_gone(extractions.wait(asked.id, patience), self.gone)

    async def wanted(self, values: Values) -> RowsWanted:
        end = values[END_TIME]
        return RowsWanted(
            account=await self.account_id(values),
            product=values[PRODUCT],
            symbol=values[SYMBOL] or None,
            start=values[START_TIME],
            end=None if end is None else end + 1,
        )

    async def rows(self, kind: Kind, wanted: RowsWanted) -> AsyncGenerator[Iterable[Row], None]:
        """All rows, batch by batch, as long as the client is there."""
        after: Place | None = None
        while not self.gone.done():
            rows = await self.trading.histories.page(kind, wanted, after, BATCH)
            if not rows:
                return
            yield [row for _, row in rows]
            after = rows[-1][0]

    async def page(self, kind: Kind) -> tuple[PageHead, list[Row]] | None:
        """The page that is asked for; None where all rows were sent in another format."""
        values = self.query(ROWS)
        wanted = await self.wanted(values)
        if values[FORMAT] in RECORD_FORMATS:
            await self._answer_records(kind, wanted, RECORD_FORMATS[values[FORMAT]])
            return None
        limit = values[LIMIT]
        rows = await self.trading.histories.page(kind, wanted, values[AFTER], limit)
        return PageHead(
            account=wanted.account,
            count=len(rows),
            next=f"{rows[-1][0].time}~{rows[-1][0].id}" if len(rows) == limit else None,
            completeness=await self.completeness(wanted.account),
        ), [row for _, row in rows]

    async def _answer_records(self, kind: Kind, wanted: RowsWanted, format: RecordFormat) -> None:
        complete = (await self.completeness(wanted.account)).complete
        self.set_header("Content-Type", format.media_type)
        name = f"{NAMES[kind]}-{wanted.account}.{format.extension}"
        self.set_header("Content-Disposition", disposition(name))
        self.set_header("X-Complete", "true" if complete else "false")
        self.headers_are_whole()
        with self.rooms.data.place(self.client):
            writer = format.make(views.SHAPES[kind])
            self.write(writer.begin())
            async for rows in self.rows(kind, wanted):
                self.write(writer.rows([views.row(row) for row in rows]))
                await self.flush()
            self.write(writer.end())
        await self.finish()


class OrderHistoryHandler(HistoryHandler):
    async def get(self) -> None:
        if page := await self.page(Kind.ORDERS):
            rows = [account_views.order(row) for row in page[1] if isinstance(row, Order)]
            self.answer(shapes.OrderHistoryAnswer(**page[0], orders=rows))


class TradesHandler(HistoryHandler):
    async def get(self) -> None:
        if page := await self.page(Kind.FILLS):
            rows = [views.fill(row) for row in page[1] if isinstance(row, Fill)]
            self.answer(shapes.TradesAnswer(**page[0], trades=rows))


class LedgerHandler(HistoryHandler):
    async def get(self) -> None:
        if page := await self.page(Kind.BILLS):
            rows = [views.bill(row) for row in page[1] if isinstance(row, Bill)]
            self.answer(shapes.LedgerAnswer(**page[0], ledger=rows))


class CompletenessHandler(HistoryHandler):
    async def get(self) -> None:
        account = await self.account_id(self.query((ACCOUNT,)))
        self.answer(shapes.CompletenessAnswer(account=account, completeness=await self.completeness(account)))


class ExtractOrdersHandler(HistoryHandler):
    async def get(self) -> None:
        values = self.query(LISTING)
        extractions = await self.trading.extractions.newest(values[LIMIT], values[ACCOUNT])
        now = self.trading.now()
        self.answer(
            shapes.ExtractionsAnswer(
                count=len(extractions), extractions=[views.extraction(one, now) for one in extractions]
            )
        )

    async def post(self) -> None:
        self.query(())
        values = self.json_object(EXTRACTING)
        since = values[SINCE]
        if values[TEST_MODE]:
            since = max(since or 0, self.trading.now() - DAY)
        wanted = Extraction(
            id="",
            account=await self.account_id(values),
            created=0,
            products=values[PRODUCTS_WANTED],
            since=since,
        )
        extraction = await self.extracted(wanted, values[WAIT])
        if extraction.status != "done":
            if extraction.failure:
                raise error_named(*extraction.failure)
            self.set_header("Location", f"{self.base_path}/extract-orders/{extraction.id}")
            self.answer(
                shapes.ExtractionAnswer(extraction=views.extraction(extraction, self.trading.now())), 202
            )
            return
        await self._answer_orders(extraction)

    async def _answer_orders(self, extraction: Extraction) -> None:
        """One JSON with all orders, sent as they are read."""
        wanted = RowsWanted(account=extraction.account, start=extraction.since)
        head = msgspec.json.encode(
            shapes.ExtractedOrders(
                extraction=views.extraction(extraction, self.trading.now()),
                completeness=await self.completeness(extraction.account),
                orders=[],
                count=0,
            )
        )
        with self.rooms.data.place(self.client):
            self.write(head[: head.index(b'"orders":[]')] + b'"orders":[')
            count = 0
            async for rows in self.rows(Kind.ORDERS, wanted):
                chosen = [
                    row for row in rows if not extraction.products or row.product in extraction.products
                ]
                encoded = [msgspec.json.encode(views.row(row)) for row in chosen]
                if encoded:
                    self.write((b"," if count else b"") + b",".join(encoded))
                count += len(encoded)
                await self.flush()
            await self.finish(b'],"count":%d}' % count)


class ExtractionHandler(HistoryHandler):
    async def get(self, extraction_id: str) -> None:
        self.query(())
        extraction = await self.trading.extractions.get(extraction_id)
        self.answer(shapes.ExtractionAnswer(extraction=views.extraction(extraction, self.trading.now())))

    async def delete(self, extraction_id: str) -> None:
        self.query(())
        extraction = await self.trading.extractions.cancel(extraction_id)
        self.answer(shapes.ExtractionAnswer(extraction=views.extraction(extraction, self.trading.now())))


class StageHandler(HistoryHandler):
    """Runs one stage of an extraction alone, and waits for its end."""

    async def post(self, name: str) -> None:
        if name not in STAGES:
            raise InvalidRequest(f"give one of {', '.join(STAGES)}", code="unknown_stage")
        values = self.query(STAGE)
        product, symbol = values[PRODUCT], values[SYMBOL]
        wanted = Extraction(
            id="",
            account=await self.account_id(values),
            created=0,
            products=(product,) if product else (),
            symbols=(symbol,) if symbol else (),
            stages=(STAGES[name],),
        )
        extraction = await self.extracted(wanted, LONGEST_WAIT)
        if extraction.failure:
            raise error_named(*extraction.failure)
        self.answer(
            shapes.StageAnswer(
                extraction=views.extraction(extraction, self.trading.now()),
                completeness=await self.completeness(extraction.account),
            )
        )
