"""Check the parameters of BingX's candle requests; each family of endpoints has its own codes.

Source: https://bingx-api.github.io/docs-v3 (error codes). Unknown parameters are ignored. Which code an
unknown interval gets is not documented; the family's code for a wrong parameter stands in for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulator.intervals import GRIDS, Grid
from tests.simulator.times import HOUR

NUMBER = re.compile(r"[0-9]{1,18}")
ZONE = re.compile(r"-?[0-9]{1,2}")


class Rejected(Exception):
    """A request that BingX answers with an error object of this code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Params:
    """A request's parameters by name, and the code that the endpoint's family has for a wrong one."""

    values: Mapping[str, str]
    code: int

    def wrong(self, name: str, complaint: str) -> Rejected:
        """Return the rejection of a parameter."""
        return Rejected(self.code, f"Invalid parameters, err:{name}: This field {complaint}")

    def needed(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.values.get(name)
        if not value:
            raise self.wrong(name, "is required.")
        return value

    def grid(self) -> Grid:
        """Return the grid of the interval, which is case-sensitive."""
        grid = GRIDS.get(self.needed("interval"))
        if grid is None:
            raise self.wrong("interval", f"must be one of {' '.join(GRIDS)}.")
        return grid

    def number(self, name: str) -> int | None:
        """Return a whole number, None where it was not sent."""
        text = self.values.get(name)
        if not text:
            return None
        if not NUMBER.fullmatch(text):
            raise self.wrong(name, "must be a number.")
        return int(text)

    def limit(self, maximum: int, *, refused: bool) -> int:
        """Return the page size, 500 where none was sent; a larger one than the maximum is cut, or refused."""
        limit = self.number("limit")
        if limit is None:
            return 500
        if limit == 0:
            raise self.wrong("limit", "must be greater than 0.")
        if limit > maximum and refused:
            raise self.wrong("limit", f"must be less than or equal to {maximum}. ")
        return min(limit, maximum)

    def offset(self, hours: int) -> int:
        """Return the time zone as ms east of UTC, `hours` where none was sent."""
        text = self.values.get("timeZone") or str(hours)
        if not ZONE.fullmatch(text) or not -12 <= int(text) <= 14:
            raise self.wrong("timeZone", "must be between -12 and 14.")
        return int(text) * HOUR
