"""The built wheel: it must work where there is no checkout."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.built_wheel import ROOT, built_wheel


def test_wheel_carries_spaces_cards_and_templates(tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(built_wheel(tmp_path)).namelist())
    for folder in ("search_spaces", "datasets"):
        for path in (ROOT / folder).glob("*.yaml"):
            assert f"tuner/_bundled/{folder}/{path.name}" in names
    for package in ("report", "doctor"):
        for path in (ROOT / "tuner" / package / "templates").rglob("*.*"):
            assert path.relative_to(ROOT).as_posix() in names
    assert not any(name.startswith("tests/") for name in names)
