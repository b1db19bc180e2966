"""A sample of the damaged runs; `make soak` damages 1,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.samples import check_sample

pytestmark = pytest.mark.slow


def test_damaged_files_of_a_run_are_told_or_done_without(tmp_path: Path) -> None:
    check_sample("fuzz_run_files", 10, "--cases", "10", "--light", "--keep", str(tmp_path))
