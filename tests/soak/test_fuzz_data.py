"""A sample of the hostile files; `make soak` gives the loaders all 2,200."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_hostile_files_are_loaded_skipped_or_refused(tmp_path: Path) -> None:
    options = ["--cases", "150", "--light", "--seed", "20", "--keep", str(tmp_path)]
    command = [sys.executable, "-m", "tests.soak.fuzz_data", *options]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr[-3000:]}"
    assert finished.stdout.splitlines()[-1].endswith("0 of 150 went wrong")
