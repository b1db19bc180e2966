"""A sample of the killed commands; `make soak` kills 246 of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_killed_commands_leave_nothing_half_written_and_nothing_behind() -> None:
    command = [sys.executable, "-m", "tests.soak.kill_commands", "--fakes", "18", "--real", "0", "--seed", "20"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr[-3000:]}"
    assert finished.stdout.splitlines()[-1].endswith("0 of 18 went wrong")
