"""The wheel of this checkout, for tests of what an installation holds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PARTS = (
    "tuner",
    "search_spaces",
    "setup.cfg",
    "setup.py",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
)


def built_wheel(folder: Path) -> Path:
    """Build it from a copy of the sources, and return its path.

    Args:
        folder: An empty folder for the copy and the wheel.
    """
    source = folder / "source"
    source.mkdir()
    for name in _PARTS:
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
        [sys.executable, "-c", build, str(folder)], cwd=source, check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    return wheel
