"""What a view tells when something ends a run before its time."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from tests.cli.run_views.events import started, trial
from tuner.cli.run_views.choice import view
from tuner.cli.terminal import output, signals
from tuner.cli.terminal.signals import TerminatedError
from tuner.records.events import (
    Event,
    Notice,
    SearchResumed,
    TrialEnded,
)


class NoChatter(contextlib.nullcontext["NoChatter"]):
    """Leaves the descriptors of the tests' own process alone."""

    def __init__(self) -> None:
        super().__init__(self)

    def move_to(self, log: Path) -> None:
        """Move nothing."""


def said_when(stop: BaseException, monkeypatch: pytest.MonkeyPatch, *events: Event) -> str:
    """What a view tells when something ends a run after some events."""
    errors = io.StringIO()
    monkeypatch.setattr("tuner.cli.run_views.choice.chatter_kept_away", NoChatter)
    monkeypatch.setattr(output, "ERRORS", errors)
    shown = view(json_lines=False, quiet=True, live=False, resume="python -m tuner run x --resume")
    with pytest.raises(type(stop)), shown as listener:
        for event in events:
            listener(event)
        raise stop
    return errors.getvalue()


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), TerminatedError(), RuntimeError("odd"), OSError("disk full")]
)
def test_whatever_ends_a_run_tells_what_is_kept_and_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "open").touch()
    (tmp_path / "config.yaml").touch()
    path = tmp_path.as_posix()
    begun, end = started(folder=path), TrialEnded(trial=trial(0, 0.5), is_best=True)
    resume = "Resume   python -m tuner run x --resume\n"
    assert (
        said_when(stop, monkeypatch, begun)
        == f"\nNo trial has ended; the log is in {path}.\n{resume}"
    )
    assert (
        said_when(stop, monkeypatch, begun, end)
        == f"\nKept: 1 ended trial, in {path}/trials.csv and curves.csv.\n{resume}"
    )
    before = SearchResumed(trials=(trial(0, 0.5), trial(1, 0.5)))
    assert "Kept: 3 ended trials, in " in said_when(stop, monkeypatch, begun, before, end)


def test_what_ends_a_command_without_state_tells_no_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said_when(KeyboardInterrupt(), monkeypatch) == "\nNothing was written.\n"
    assert said_when(RuntimeError("odd"), monkeypatch) == ""
    assert said_when(RuntimeError("odd"), monkeypatch, started(folder=tmp_path.as_posix())) == ""


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), RuntimeError("odd")])
def test_finished_runs_of_outer_folds_are_told_whatever_ends_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    folders = [tmp_path / name for name in ("1", "2", "failed")]
    for folder in folders:
        folder.mkdir()
    for folder in folders[:2]:
        (folder / "report.html").touch()
    first, second, failed = (started(folder=folder.as_posix()) for folder in folders)
    resume = "Resume   python -m tuner run x --resume\n"
    assert (
        said_when(stop, monkeypatch, first)
        == f"\nKept: 1 finished run, the last in {tmp_path}/1.\n{resume}"
    )
    two = f"\nKept: 2 finished runs, the last in {tmp_path}/2.\n{resume}"
    assert said_when(stop, monkeypatch, first, second) == two
    assert said_when(stop, monkeypatch, first, second, failed) == two
    assert said_when(stop, monkeypatch, failed) == ""


def test_stop_that_a_destructor_swallowed_is_raised_at_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tuner.cli.run_views.choice.chatter_kept_away", NoChatter)
    monkeypatch.setattr(output, "ERRORS", io.StringIO())
    monkeypatch.setattr(signals._Stop, "asked", None)
    with (
        pytest.raises(KeyboardInterrupt),
        view(json_lines=False, quiet=True, live=False) as listener,
    ):
        listener(Notice(text="before"))
        monkeypatch.setattr(signals._Stop, "asked", KeyboardInterrupt)
        listener(Notice(text="after"))
