"""A sample of the kill matrix; `make soak` runs all 200 cases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_killed_searches_go_on_to_the_same_trials() -> None:
    command = [sys.executable, "-m", "tests.soak.kill_matrix", "--fakes", "19", "--real", "1", "--seed", "20"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr[-3000:]}"
    assert finished.stdout.splitlines()[-1].endswith("0 of 20 went wrong")
