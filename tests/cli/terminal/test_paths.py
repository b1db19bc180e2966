"""Paths on the terminal are short where they can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.cli.terminal.paths import shown_path


def test_paths_below_the_working_directory_are_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "reports" / "x") == "reports/x"
    assert shown_path(Path("reports/x")) == "reports/x"
    assert shown_path(tmp_path.parent / "y") == (tmp_path.parent / "y").as_posix()
