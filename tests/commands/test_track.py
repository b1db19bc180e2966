"""`run --track` and `track`: the same numbers in a tracker's store as in the run's tables."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest

from tests.cli.calling import call, write_photos, write_space
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tests.trackers.stores import Store, read_mlflow, read_optuna, read_tensorboard, read_wandb
from tuner.pipeline.outputs import tracking
from tuner.space.definition import Objective
from tuner.store.run_folder import RunFolder
from tuner.trackers.make_tracker import make_tracker
from tuner.trackers.tracked import TrackedRun
from tuner.trackers.tracker import Tracker

READERS: dict[str, Callable[[TrackedRun], Store]] = {
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
    "wandb": read_wandb,
    "optuna": read_optuna,
}


@pytest.fixture(autouse=True)
def usual_places(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)


def stored(folder: Path, name: str) -> Store:
    search = RunFolder(folder).read_results().search
    run = TrackedRun(
        folder=folder,
        objective=Objective(name=search.objective, direction=search.direction),
        parameters=search.parameters,
        max_epochs=search.max_epochs,
        comparable=0.5,
    )
    return READERS[name](run)


def check_numbers(found: Store, of: Finished, name: str) -> None:
    """That a store has each cell of curves.csv, and each score of trials.csv, once."""
    rows = {row["trial_id"]: row for row in of.rows("trials.csv")}

    def root(trial_id: str) -> str:
        parent = rows[trial_id]["parent_id"]
        return root(parent) if parent else trial_id

    as_stored = np.float32 if name == "tensorboard" else float
    metrics = ["val_accuracy"] if name == "optuna" else ["loss", "accuracy", "val_accuracy"]
    for row in of.rows("curves.csv"):
        points = found.trainings[f"trial {root(row['trial_id'])}"].points
        for metric in metrics:
            wanted = as_stored(float(row[metric]))
            assert points[int(row["epoch"]), metric] == [wanted]
    assert len({root(trial_id) for trial_id in rows}) == sum(
        key.startswith("trial ") for key in found.trainings
    )
    for model in of.results["models"]:
        for one in model["runs"]:
            said = found.trainings[f"{model['name']} seed {one['seed']}"].said
            accuracy = as_stored(float(said["test_accuracy"]))
            assert accuracy == as_stored(one["test"]["accuracy"])
    assert found.said["recommended"] == of.results["recommendation"]["model"]


def copied(finished: Finished, place: Path) -> Finished:
    """The run in a working directory of its own."""
    shutil.copytree(finished.path, place / finished.folder)
    return Finished(place=place, outcome=finished.outcome)


# The first import of each library takes seconds.
@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_finished_run_is_written_twice_and_is_there_once(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = copied(finished, tmp_path)
    first = call("track", run.folder, "--to", name, cwd=tmp_path)
    assert first.code == 0, first.err
    assert first.err == ""
    again = call("track", "latest", "--to", name, cwd=tmp_path)
    assert (again.code, again.out) == (0, first.out)
    n = len({row["parent_id"] or row["trial_id"] for row in run.rows("trials.csv")}) + 2
    assert first.out.startswith(f"{name}: {n} settings and retrainings; see them with: ")
    # The file of MLflow's is named from where the command was called.
    monkeypatch.chdir(tmp_path)
    check_numbers(stored(run.folder, name), run, name)


@pytest.mark.slow
def test_a_run_is_tracked_as_it_goes(tmp_path: Path) -> None:
    write_photos(tmp_path / "my photos")
    write_space(tmp_path, "compare: []\n", "compare: []\ntrack: [optuna]\n")
    outcome = whole_run(tmp_path, "--track", "tensorboard", "--track", "optuna")
    assert outcome.code == 0, outcome.err
    run = Finished(place=tmp_path, outcome=outcome)
    notes = [line for line in outcome.err.splitlines() if "tracked by" in line]
    assert notes == [
        f"  note: tracked by TensorBoard: tensorboard --logdir {run.folder}/tensorboard",
        f"  note: tracked by Optuna: optuna-dashboard {run.folder}/optuna.journal",
    ]
    for name in ("tensorboard", "optuna"):
        check_numbers(stored(run.path, name), run, name)


def broken(name: str, run: TrackedRun) -> Tracker:
    """A tracker whose server goes down when the first trial ends."""
    tracker = make_tracker(name, run)

    def fail(*_: Any) -> None:
        raise ConnectionError("http://me:my-password@host:5000 does not answer")

    tracker.end = fail  # type: ignore[method-assign]
    return tracker


@pytest.mark.slow
def test_a_tracker_that_fails_costs_one_line_and_can_be_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photos(tmp_path / "my photos")
    write_space(tmp_path)
    monkeypatch.setattr(tracking, "make_tracker", broken)
    outcome = whole_run(tmp_path, "--track", "optuna")
    run = Finished(place=tmp_path, outcome=outcome)
    assert outcome.code == 0
    lines = [line for line in outcome.err.splitlines() if "has stopped tracking" in line]
    assert lines == [
        "  note: optuna has stopped tracking this run: ConnectionError: http://***@host:5000 does"
        " not answer; the run continues, and `python -m tuner track"
        f" {shlex.quote(str(run.folder))} --to optuna` adds what is missing"
    ]
    for path in (run.path / "run.log", run.path / "events.jsonl"):
        assert "my-password" not in path.read_text()
    monkeypatch.undo()
    assert call("track", run.folder, "--to", "optuna", cwd=tmp_path).code == 0
    check_numbers(stored(run.path, "optuna"), run, "optuna")


def test_a_tracker_that_fails_afterwards_is_named_and_the_others_are_written(
    finished: Finished, tmp_path: Path
) -> None:
    run = copied(finished, tmp_path)
    (run.path / "optuna.journal").mkdir()
    shown = call("track", run.folder, "--to", "optuna", "--to", "tensorboard", cwd=tmp_path)
    assert shown.code == 1
    assert shown.out.startswith("tensorboard: ")
    first, fix = shown.err.splitlines()
    assert first.startswith("optuna failed: IsADirectoryError: ")
    assert fix == ("  Fix: fix the cause and repeat the command; nothing is written twice.")


@pytest.mark.parametrize("where", ["--track", "space", "track"])
def test_a_tracker_that_is_not_installed_is_refused_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(
        "tuner.trackers.make_tracker.find_spec",
        lambda name: None if name == "wandb" else find_spec(name),
    )
    write_photos(tmp_path / "my photos")
    write_space(tmp_path, "compare: []\n", "compare: []\ntrack: [wandb]\n")
    given = {
        "--track": ("run", "./my photos", "--track", "wandb"),
        "space": ("run", "./my photos", "--space", "tiny.yaml"),
        "track": ("track", "latest", "--to", "wandb"),
    }
    shown = call(*given[where], cwd=tmp_path)
    assert shown.code == 2
    assert shown.err == (
        "wandb tracks runs in Weights & Biases, but wandb is not installed\n"
        '  Fix: python -m pip install "wandb>=0.21" (the extra `wandb`), or leave wandb out.\n'
    )
    assert not (tmp_path / "reports").exists()


def test_an_unknown_tracker_in_a_space_is_named_with_the_nearest(tmp_path: Path) -> None:
    write_space(tmp_path, "compare: []\n", "compare: []\ntrack: [mlfow]\n")
    shown = call("validate", "tiny.yaml", cwd=tmp_path)
    assert shown.code == 2
    assert shown.err == (
        'tiny.yaml:14: track.0 is "mlfow"; expected tensorboard, mlflow, wandb or optuna.\n'
        '  Fix: did you mean "mlflow"?\n'
    )


def test_a_run_that_a_command_works_on_is_left_to_it(finished: Finished, tmp_path: Path) -> None:
    run = copied(finished, tmp_path)
    (run.path / "state").mkdir()
    (run.path / "state" / "open").touch()
    with filelock.FileLock(run.path / ".lock"):
        shown = call("track", run.folder, "--to", "tensorboard", cwd=tmp_path)
    assert shown.code == 2
    assert shown.err == (
        f"{run.folder}: a command is working on this run\n  Fix: wait until it ends, or interrupt"
        " it and resume it with --track NAME.\n"
    )
