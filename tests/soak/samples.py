"""A sample of a soak test, as CI runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check_sample(module: str, n: int, *options: str) -> None:
    """Run some cases of a soak test, and make sure that none went wrong.

    Args:
        module: Below `tests.soak`.
        n: Cases in all.
        options: Those of its command line.
    """
    command = [sys.executable, "-m", f"tests.soak.{module}", *options, "--seed", "20"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr[-3000:]}"
    assert finished.stdout.splitlines()[-1].endswith(f"0 of {n} went wrong")
