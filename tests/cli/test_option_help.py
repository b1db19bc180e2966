"""The help of `run` and `plan` groups its options and names numbers in short."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from tests.cli.calling import call
from tuner.cli.commands import cli
from tuner.cli.option_help import HEADINGS, LAST_HEADING, NumberOption


@pytest.mark.parametrize("command", ["run", "plan"])
def test_every_option_stands_once_below_a_heading(tmp_path: Path, command: str) -> None:
    shown = call(command, "--help", cwd=tmp_path).out
    headings = [line.rstrip(":") for line in shown.splitlines() if line[:1].strip()][1:]
    assert headings == [*HEADINGS, LAST_HEADING]
    assert "\n  DATASET\n" not in shown, "it is no option"
    for param in cli.commands[command].params:
        if isinstance(param, click.Option) and not param.hidden:
            longest = max(param.opts, key=len)
            starts = [line.split()[:3] for line in shown.splitlines() if line.startswith("  -")]
            assert sum(longest in {word.rstrip(",") for word in start} for start in starts) == 1


def test_headings_name_options_that_there_are() -> None:
    known = {param.name for param in cli.commands["run"].params}
    assert {name for names in HEADINGS.values() for name in names} <= known


def test_numbers_are_short_and_bounds_are_shown_where_they_tell_something() -> None:
    context = click.Context(cli.commands["run"])

    def record(kind: click.ParamType[object]) -> object:
        return NumberOption(["--x"], type=kind, help="Some.").get_help_record(context)

    assert record(click.IntRange(min=1)) == ("--x N", "Some.")
    assert record(click.IntRange(0, 2**32 - 1)) == ("--x N", "Some.")
    assert record(click.IntRange(2, 20)) == ("--x N", "Some.  [2<=x<=20]")
    assert record(click.FloatRange(0, 1)) == ("--x NUMBER", "Some.  [0<=x<=1]")
