"""A sample of the hostile files; `make soak` gives the loaders all 2,200."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.samples import check_sample

pytestmark = pytest.mark.slow


def test_hostile_files_are_loaded_skipped_or_refused(tmp_path: Path) -> None:
    check_sample("fuzz_data", 40, "--cases", "40", "--light", "--keep", str(tmp_path))
