"""The page of a run is the same each time, charts included: nothing here is drawn only once."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from .fixtures import page, recommending, results, trials


@pytest.fixture(scope="module")
def typical() -> str:
    return page(recommending(results()), trials())


def test_two_renders_give_the_same_bytes(typical: str) -> None:
    assert page(recommending(results()), trials()) == typical


@pytest.mark.slow
def test_another_process_hash_seed_and_time_zone_give_the_same_bytes(typical: str) -> None:
    code = (
        "import hashlib; from tests.report.fixtures import page, recommending, results, trials; "
        "print(hashlib.sha256(page(recommending(results()), trials()).encode()).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == hashlib.sha256(typical.encode()).hexdigest()
