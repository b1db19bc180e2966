"""What the terminal behind stderr can do: widths of 0, dumb ones, notebooks."""

from __future__ import annotations

import io
import os

import pytest

from tuner.cli.endings.run_summary import _wrapped
from tuner.cli.terminal import abilities, output
from tuner.cli.terminal.console import ErrorConsole


class FakeTerminal(io.StringIO):
    """A terminal that says how large it is."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 99


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How wide the terminal behind stderr says that it is."""
    said = {"columns": 0}
    monkeypatch.setattr(output, "ERRORS", FakeTerminal())
    monkeypatch.setattr(
        os, "get_terminal_size", lambda number: os.terminal_size((said["columns"], 0))
    )
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    return said


@pytest.mark.parametrize(
    ("environ", "can_draw"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "screen", "COLUMNS": "0"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": ""}, False),
        ({}, False),
        # `!python -m tuner` in a cell gets a terminal, and shows all that is written there.
        ({"TERM": "xterm-color", "JPY_PARENT_PID": "17"}, False),
        ({"TERM": "xterm-color", "COLAB_RELEASE_TAG": "release-colab"}, False),
        ({"TERM": "xterm-color", "KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, False),
        ({"TERM": "xterm", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}, False),
        ({"TERM": "xterm", "MPLBACKEND": "agg"}, True),
    ],
)
def test_where_a_live_view_is_drawn(
    columns: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    can_draw: bool,
) -> None:
    monkeypatch.setattr(os, "name", "posix")
    assert abilities.can_draw(environ) is can_draw


def test_no_live_view_is_drawn_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "ERRORS", io.StringIO())
    assert not abilities.can_draw({"TERM": "xterm"})


@pytest.mark.parametrize(
    ("said", "environ", "width"),
    [
        (0, {}, 80),
        (0, {"COLUMNS": "0"}, 80),
        (0, {"COLUMNS": "x"}, 80),
        (40, {"COLUMNS": "0"}, 40),
        (20, {}, 20),
        (120, {"COLUMNS": "60"}, 60),
        (120, {"COLUMNS": "-5"}, 120),
    ],
)
def test_a_width_of_nothing_is_no_width(
    columns: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    said: int,
    environ: dict[str, str],
    width: int,
) -> None:
    columns["columns"] = said
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert abilities.size()[0] == width
    assert ErrorConsole().width == width
    assert all(len(line) <= width for line in _wrapped("a verdict of some words " * 9).splitlines())


def test_where_stderr_is_no_file_the_usual_size_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "ERRORS", io.StringIO())
    assert abilities.size({}) == (80, 24)
