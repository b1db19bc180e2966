"""The built wheel: it must work where there is no checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = (
    "tuner",
    "search_spaces",
    "setup.cfg",
    "setup.py",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
)


def test_wheel_carries_spaces_cards_and_templates(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source / name)
    (source / "datasets").mkdir()
    for path in (ROOT / "datasets").glob("*.yaml"):
        shutil.copy(path, source / "datasets")

    build = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=source, check=True, capture_output=True
    )

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("search_spaces", "datasets"):
        for path in (ROOT / folder).glob("*.yaml"):
            assert f"tuner/_bundled/{folder}/{path.name}" in names
    for package in ("report", "doctor"):
        for path in (ROOT / "tuner" / package / "templates").rglob("*.*"):
            assert path.relative_to(ROOT).as_posix() in names
    assert not any(name.startswith("tests/") for name in names)
