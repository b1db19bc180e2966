"""The nearest path: the first part that is missing is what was mistyped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.store.files.nearest_path import did_you_mean_path, nearest_path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("my_photos/train/cats", "reports/digits/1", "other"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("my_photo", "my_photos"),
        ("my-photos", "my_photos"),
        ("my_photos/trian", "my_photos/train"),
        ("my_photo/train/cats", "my_photos/train/cats"),
        ("my_photo/train/none", "my_photos"),
        ("report/digits/1", "reports/digits/1"),
        ("nowhere", None),
        ("nowhere/train", None),
        ("my_photos/dev", None),
    ],
)
def test_nearest_path(here: Path, typed: str, meant: str | None) -> None:
    assert nearest_path(Path(typed)) == (Path(meant) if meant else None)
    assert did_you_mean_path(Path(typed)) == (f'did you mean "{meant}"? ' if meant else "")
