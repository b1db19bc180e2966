"""A sample of the damaged runs; `make soak` damages 1,000."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_damaged_files_of_a_run_are_told_or_done_without(tmp_path: Path) -> None:
    options = ["--cases", "25", "--light", "--seed", "20", "--keep", str(tmp_path)]
    command = [sys.executable, "-m", "tests.soak.fuzz_run_files", *options]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr[-3000:]}"
    assert finished.stdout.splitlines()[-1].endswith("0 of 25 went wrong")
