"""A run that did not come to its end: how it goes on, and when it may not."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.calling import call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tuner.commands.run import RunOutcome, run
from tuner.errors import ConfigurationError
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.stop import StopRequest
from tuner.pipeline import sizing
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import (
    EpochEnded,
    Event,
    ModelTrained,
    Notice,
    SearchResumed,
    SearchSized,
    StageStarted,
    TrialEnded,
)
from tuner.records.results import Results
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

pytestmark = pytest.mark.slow


OPTIONS = RunOptions(
    dataset="./my photos",
    space=Path("tiny.yaml"),
    seed=3,
    execution=ExecutionOptions(executor="inline"),
    command="python -m tuner run './my photos'",
)


@pytest.fixture
def own(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunOptions:
    """Options of a run of the place's data and space, in a copy that a test may change."""
    shutil.copytree(place / "my photos", tmp_path / "my photos")
    shutil.copy(place / "tiny.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return OPTIONS


@pytest.fixture(scope="module")
def stopped_reports(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves that was interrupted after its first trial."""
    folder = tmp_path_factory.mktemp("stopped")
    shutil.copytree(place / "my photos", folder / "my photos")
    shutil.copy(place / "tiny.yaml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        interrupt(OPTIONS, TrialEnded)
    return folder / "reports"


@pytest.fixture
def stopped(own: RunOptions, stopped_reports: Path) -> RunFolder:
    """The folder of such a run, in the test's own copy."""
    shutil.copytree(stopped_reports, "reports")
    (path,) = Path("reports/my_photos").iterdir()
    return RunFolder(path)


# The command tries it out before the search; it fails in workers alone.
BAD_BUILDER = """\
import multiprocessing

import keras

class Unready(keras.Model):
    def train_step(self, data):
        if multiprocessing.parent_process():
            raise RuntimeError("no")
        return super().train_step(data)

def build(values, image_spec):
    x = keras.Input(image_spec.shape)
    y = keras.layers.Dense(image_spec.n_classes, activation="softmax")(keras.layers.Flatten()(x))
    model = Unready(x, y)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


def silent(event: Event) -> None:
    """Hear of it and do nothing."""


def end(options: RunOptions) -> RunOutcome:
    """Let a run come to its end."""
    return run(options, silent, StopRequest())


def interrupt(
    options: RunOptions, kind: type[Event], n: int = 1, told: list[Event] | None = None
) -> RunOutcome:
    """Ask for the end at the n-th event of a kind; `told` gets all events."""
    request, heard = StopRequest(), []

    def hear(event: Event) -> None:
        heard.extend([event] if isinstance(event, kind) else [])
        if told is not None:
            told.append(event)
        if len(heard) == n:
            request.reason = "interrupted"

    return run(options, hear, request)


def steady(folder: Path) -> tuple[list[Any], list[Any]]:
    """Trials and test scores without what two equal runs may differ in."""
    read = TrialTables(folder).read()
    trials = [
        replace(t, duration_s=0.0, epochs=tuple(replace(e, duration_s=0.0) for e in t.epochs))
        for t in read
    ]
    models = json.loads((folder / "results.json").read_text())["models"]
    return trials, [
        (r["best_epoch"], r["validation_score"], r["test"])
        for model in models
        for r in model["runs"]
    ]


@pytest.mark.parametrize(
    ("kind", "n"), [(StageStarted, 1), (TrialEnded, 2), (EpochEnded, 8), (ModelTrained, 1)]
)
def test_interrupted_run_goes_on_and_ends_as_if_nothing_had_been(
    own: RunOptions, finished: Finished, kind: type[Event], n: int
) -> None:
    heard: list[Event] = []
    stopped = interrupt(own, kind, n, heard)
    assert (stopped.stopped, stopped.folder.is_unfinished) == ("interrupted", True)
    assert stopped.results is None or not stopped.results.run.is_complete
    assert stopped.folder.report.exists() is (stopped.results is not None)
    n_before = sum(isinstance(event, TrialEnded) for event in heard)
    events: list[Event] = []
    ended = run(own, events.append, StopRequest())
    assert (ended.folder.path, ended.stopped) == (stopped.folder.path, None)
    assert steady(ended.folder.path) == steady(finished.path)
    assert not ended.folder.state.exists()
    check_told(events, ended, n_before)


def check_told(events: list[Event], ended: RunOutcome, n_before: int) -> None:
    """What an earlier session did is told, and not done again."""
    assert isinstance(ended.results, Results)
    resumed = [event.trials for event in events if isinstance(event, SearchResumed)]
    assert len(resumed) == (n_before > 0)
    before = resumed[0] if resumed else ()
    now = [event.trial.trial_id for event in events if isinstance(event, TrialEnded)]
    assert len(before) == n_before
    assert (
        len({t.trial_id for t in before} | set(now))
        == n_before + len(now)
        == ended.results.search.n_trials
    )
    notes = [event.text for event in events if isinstance(event, Notice)]
    assert (
        f"resuming the unfinished run {ended.folder.path.name}; --fresh starts a new one" in notes
    )


def test_recipe_is_there_before_anything_is_computed_of_a_search(
    own: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("tuner.commands.run.importance_of", fail)
        with pytest.raises(MemoryError):
            end(own)
    (path,) = Path("reports/my_photos").iterdir()
    folder = RunFolder(path)
    assert (folder.recipe.is_file(), folder.is_unfinished) == (True, True)
    assert end(own).folder.path == path
    assert folder.report.is_file()


def test_page_of_an_interrupted_run_says_so_and_how_it_goes_on(stopped: RunFolder) -> None:
    page = stopped.report.read_text(encoding="utf-8")
    assert "<strong>Interrupted.</strong>" in page
    assert "<code>python -m tuner run &#39;./my photos&#39; --resume</code>" in page


def test_run_that_was_killed_goes_on_from_what_is_on_the_disk(
    own: RunOptions, finished: Finished
) -> None:
    class PowerCutError(BaseException):
        pass

    def cut(event: Event) -> None:
        if isinstance(event, TrialEnded) and not event.is_best:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        run(own, cut, StopRequest())
    (folder,) = Path("reports/my_photos").iterdir()
    with open(folder / "state" / "trials.jsonl", "ab") as log:
        log.write(b'{"kind": "star')
    with open(folder / "trials.csv", "a", encoding="utf-8") as table:
        table.write("0099,comp")
    assert steady(end(own).folder.path) == steady(finished.path)


def refused(options: RunOptions) -> tuple[str, str]:
    """Message and hint of a run that is refused."""
    with pytest.raises(ConfigurationError) as caught:
        end(options)
    return caught.value.message, caught.value.hint


def test_resume_without_an_unfinished_run_is_refused(own: RunOptions) -> None:
    message, hint = refused(replace(own, resume=True))
    assert message == "reports/my_photos: there is no unfinished run to resume"
    assert hint == "leave --resume out."
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"overrides": ("search.factor=3",)}, "space.search.factor is 3, was 2"),
        ({"overrides": ("space.filters=[4, 16]",)}, "space.space.parameters.filters"),
        ({"seed": 4}, "seed is 4, was 3"),
        ({"limit": 50}, "data.train changed; data.validation changed"),
        ({"image_size": (8, 12)}, "data.fingerprint changed"),
    ],
)
def test_resume_with_something_else_says_what_differs(
    own: RunOptions, stopped: RunFolder, change: dict[str, Any], difference: str
) -> None:
    message, hint = refused(replace(own, resume=True, **change))
    assert message.startswith(
        f"{stopped.path}: cannot be resumed, since it was started with other inputs: "
    )
    assert difference in message
    assert hint == "restore what has changed, or start a new run with --fresh."


@pytest.mark.usefixtures("stopped")
def test_resume_with_changed_data_says_so(own: RunOptions) -> None:
    image = next(Path("my photos").rglob("00.png"))
    Image.fromarray(np.full((8, 8), 255, dtype=np.uint8)).save(image)
    message, _ = refused(replace(own, resume=True))
    assert "started with other inputs: data.fingerprint changed" in message


def test_changed_space_without_resume_starts_a_run_of_its_own(
    own: RunOptions, stopped: RunFolder
) -> None:
    other = interrupt(replace(own, seed=4), StageStarted).folder
    assert stopped.path != other.path
    assert stopped.is_unfinished


def test_fresh_leaves_the_unfinished_run_alone(own: RunOptions, stopped: RunFolder) -> None:
    other = interrupt(replace(own, resume=False), StageStarted)
    assert other.folder.path != stopped.path
    assert stopped.is_unfinished


def test_run_that_another_command_works_on_is_refused(own: RunOptions, stopped: RunFolder) -> None:
    with stopped.locked():
        message, hint = refused(own)
    assert message.startswith(f"{stopped.path}: another command (process ")
    assert hint == "wait until it ends, or start a new run with --fresh."


def test_time_budget_stops_trials_and_retrainings_and_the_run_is_complete(own: RunOptions) -> None:
    events: list[Event] = []
    methods = ("search.method=random", "search.max_epochs=4")
    outcome = run(replace(own, time_budget_s=0.0, overrides=methods), events.append, StopRequest())
    assert isinstance(outcome.results, Results)
    search = outcome.results.search
    assert (search.n_trials, search.n_stopped, search.n_failed, search.n_epochs) == (1, 1, 0, 1)
    assert outcome.results.run.is_complete
    assert all(len(run.epochs) == 1 for run in outcome.results.models[0].runs)
    trained = [event.text for event in events if isinstance(event, ModelTrained)]
    assert trained[0].startswith("1 epochs, ended by the time budget, ")
    assert set(trained[1:]) == {"failed: the time budget was over before its training began"}
    page = outcome.folder.report.read_text(encoding="utf-8")
    assert "0 trials completed, 1 stopped by the time budget, 0 failed" in page
    assert "1 of 1 trial stopped by the time budget" in page
    assert not outcome.folder.state.exists()


def test_resumed_run_keeps_the_sizes_of_its_budget(
    own: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("measured again")

    asked = replace(own, time_budget_s=600.0, overrides=("search.iterations=1",))
    begun: list[Event] = []
    stopped = interrupt(asked, TrialEnded, told=begun).folder
    before = stopped.read_config()["sizes"]
    (sized,) = [event for event in begun if isinstance(event, SearchSized)]
    assert sized.text == before["text"]
    monkeypatch.setattr(sizing, "measure", refuse)
    message, _ = refused(replace(asked, time_budget_s=601.0, resume=True))
    assert "time_budget_s is 601.0, was 600.0" in message
    events: list[Event] = []
    outcome = run(asked, events.append, StopRequest())
    assert outcome.folder.path == stopped.path
    assert isinstance(outcome.results, Results)
    assert outcome.results.search.sized == before["text"]
    assert outcome.results.search.n_trials == sized.n_trials
    assert {len(model.runs) for model in outcome.results.models} == {2}
    assert not any(isinstance(event, SearchSized) for event in events)


def fails_once(error: Exception) -> Callable[..., None]:
    keep, failed = TrialTables.keep, []

    def broken(tables: TrialTables, *arguments: Any) -> None:
        if len(failed) == 1:
            failed.append(1)
            raise error
        failed.append(0)
        keep(tables, *arguments)

    return broken


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (RuntimeError("odd"), "This is a bug in tuner, not a mistake in your command."),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "  Fix: free space, or write to another disk, and repeat",
        ),
    ],
)
def test_run_that_an_error_ends_tells_the_command_that_goes_on(
    own: RunOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, last: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TrialTables, "keep", fails_once(error))
        shown = whole_run(tmp_path, "--search-only")
    lines = shown.err.splitlines()
    (folder,) = (tmp_path / "reports" / "my_photos").iterdir()
    at = lines.index(
        f"Kept: 1 ended trial, in {folder.relative_to(tmp_path)}/trials.csv and curves.csv."
    )
    resume = (
        "python -m tuner run './my photos' --space tiny.yaml --seed 3 --executor inline"
        " --search-only --resume"
    )
    assert lines[at + 1] == f"Resume   {resume}"
    assert lines[-1].startswith(last)
    assert (shown.code, shown.out) == (1, "")
    again = whole_run(tmp_path, "--search-only", "--resume")
    assert again.code == 0, again.err
    assert "  note: resuming the unfinished run " in again.err


def test_run_without_a_good_trial_leaves_nothing_to_resume(own: RunOptions, tmp_path: Path) -> None:
    (tmp_path / "bad_builders.py").write_text(BAD_BUILDER)
    command = ("run", "./my photos", "--model", "bad_builders:build", "--set", "start_from=[]")
    shown = call(*command, cwd=tmp_path)
    assert shown.code == 5
    assert "Resume" not in shown.err
    (folder,) = (tmp_path / "reports" / "my_photos").iterdir()
    assert not RunFolder(folder).is_unfinished
    assert (folder / "run.log").read_text().count("RuntimeError: no")
