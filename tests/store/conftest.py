"""The folder of a run that has just begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.store.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run's folder as `create` leaves it."""
    made = RunFolder(tmp_path / "digits" / "run")
    made.create()
    return made
