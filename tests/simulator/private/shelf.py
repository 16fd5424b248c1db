"""Rows of a product in the order of their ids, which is that of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from tests.simulator.private.rows import Bill, Fill, Order, Plan, Product, first_number

Row = TypeVar("Row", Order, Fill, Bill, Plan)


class Shelf(Generic[Row]):
    """All rows of one kind, by product; a row may be put in place of an older state of itself."""

    def __init__(self) -> None:
        self.changes = 0
        """How often a row was put."""
        self.latest: Row | None = None
        self._rows: dict[Product, list[Row]] = {product: [] for product in Product}
        self._numbers: dict[Product, list[int]] = {product: [] for product in Product}

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def __iter__(self) -> Iterator[Row]:
        """All rows, oldest first."""
        return iter(sorted(row for rows in self._rows.values() for row in rows))

    def of(self, product: Product) -> Sequence[Row]:
        """A product's rows, oldest first."""
        return self._rows[product]

    def put(self, row: Row) -> None:
        """Add a row, or put it where one of its number is."""
        self.changes += 1
        self.latest = row
        rows, numbers = self._rows[row.product], self._numbers[row.product]
        if not numbers or numbers[-1] < row.number:
            rows.append(row)
            numbers.append(row.number)
            return
        place = bisect_left(numbers, row.number)
        found = numbers[place] == row.number
        rows[place : place + found] = [row]
        numbers[place : place + found] = [row.number]

    def find(self, number: int) -> Row | None:
        """The row of a number."""
        for product, numbers in self._numbers.items():
            place = bisect_left(numbers, number)
            if place < len(numbers) and numbers[place] == number:
                return self._rows[product][place]
        return None

    def between(self, product: Product, start: int, end: int) -> Sequence[Row]:
        """A product's rows of [start, end] in ms, both included, oldest first."""
        numbers = self._numbers[product]
        low, high = (bisect_left(numbers, first_number(moment)) for moment in (start, end + 1))
        return self._rows[product][low:high]
