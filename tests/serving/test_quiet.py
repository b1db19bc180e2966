"""What frameworks print as they start is hidden."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PRINTING = """
import os, sys
from tuner.serving.quiet import quiet_start
for number in sys.argv[1:]:
    os.close(int(number))
with quiet_start():
    for number in (1, 2):
        if str(number) not in sys.argv:
            os.write(number, b"hidden")
for number in (1, 2):
    if str(number) not in sys.argv:
        os.write(number, b"shown")
"""


@pytest.mark.parametrize(
    ("closed", "shown"),
    [
        ([], ("shown", "shown")),
        (["1"], ("", "shown")),
        (["2"], ("shown", "")),
        (["1", "2"], ("", "")),
    ],
)
def test_only_what_is_printed_meanwhile_is_hidden(
    closed: list[str], shown: tuple[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PRINTING, *closed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == shown
