"""Command lines that go on with a run or repeat it."""

from __future__ import annotations

import pytest

from tuner.report.command_lines import resume_command


@pytest.mark.parametrize(
    ("command", "resume"),
    [
        ("python -m tuner run faces --seed 1", "python -m tuner run faces --seed 1 --resume"),
        ("python -m tuner run './my photos'", "python -m tuner run './my photos' --resume"),
    ],
)
def test_command_that_goes_on_may_be_pasted_and_never_starts_afresh(
    command: str, resume: str
) -> None:
    assert resume_command(command) == resume
