"""Refusals that venues really gave mean to an account what they should, where a folder of them is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from backend.exchanges.base import Answer
from backend.exchanges.bingx.account import BINGX_ACCOUNT
from backend.exchanges.bitget.account import BITGET_ACCOUNT
from backend.exchanges.private.refusals import Meaning

FOLDER = os.environ.get("RECORDED_PAYLOADS")
VENUES = {venue.name: venue for venue in (BITGET_ACCOUNT, BINGX_ACCOUNT)}

MEANINGS = {
    "error_429_too_many_requests": Meaning.RATE_LIMIT,
    "error_100410_rate_limit_vendor": Meaning.RATE_LIMIT,
    "error_101500_busy": Meaning.UNKNOWN,
    "error_109400_timestamp_invalid": Meaning.CLOCK,
    "error_109400_hedge_reduce_only": Meaning.MODE,
}
"""What is not named here is refused, and will be refused again."""


@pytest.mark.skipif(not FOLDER, reason="RECORDED_PAYLOADS names no folder")
def test_recorded_refusals_mean_what_they_should() -> None:
    paths = [path for name in VENUES for path in Path(FOLDER or "", "recorded", name).glob("error_*.json")]
    assert paths
    for path in paths:
        case = json.loads(path.read_text())
        refusal = VENUES[case["exchange"]].refusal(
            Answer(case["status"], {}, json.dumps(case["response"]).encode())
        )
        assert refusal is not None, path.name
        assert refusal.meaning is MEANINGS.get(path.stem, Meaning.REFUSED), path.name
        assert str(case["response"]["code"]) == refusal.code
