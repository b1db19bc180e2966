"""Nested cross-validation: every image tests once, and what has ended is not done again."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import Outcome, call, write_photos
from tuner.commands import nested
from tuner.commands.nested import NestedOutcome, run_nested
from tuner.commands.run import RunOutcome
from tuner.data.cards.card_files import card_folders
from tuner.data.dataset import load_dataset
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError, DataError
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.stop import StopRequest
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import SEARCHING, Event, Notice, RunStarted, StageStarted
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder

SPACE = """\
version: 1
model: cnn
space:
  filters: [4, 8]
  conv_blocks: 1
  learning_rate: 1e-2
  optimizer: adam
  batch_norm: false
  pooling: global_average
  dense_units: 0
  batch_size: 16
search: {method: grid, max_epochs: 1, factor: 2}
compare: []
retrain: {epochs: 1, seeds: 2}
"""
OTHER = ("--seed", "3", "--executor", "inline")
OPTIONS = RunOptions(
    dataset="./photos",
    space=Path("space.yaml"),
    seed=3,
    execution=ExecutionOptions(executor="inline"),
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A working directory where nested cross-validation came to its end, and what it wrote."""
    place = tmp_path_factory.mktemp("nested")
    write_photos(place / "photos", ["dark", "light"], n=3)
    (place / "space.yaml").write_text(SPACE, encoding="utf-8")
    return place, call("run", "./photos", "--space", "space.yaml", *OTHER, "--nested", cwd=place)


@pytest.fixture
def place(done: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working directory."""
    shutil.copytree(done[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def runs(place: Path) -> list[Path]:
    """Folders of the runs, in the order of their begins."""
    return sorted(path for path in (place / "reports" / "photos").iterdir() if path.is_dir())


def silent(event: Event) -> None:
    """Hear of it and do nothing."""


def interrupted_in(number: int) -> NestedOutcome:
    """Ask for the end in the search of an outer fold."""
    request, searches = StopRequest(), list[Event]()

    def hear(event: Event) -> None:
        searches.extend([event] if event == StageStarted(title=SEARCHING) else [])
        if len(searches) == number:
            request.reason = "interrupted"

    return run_nested(OPTIONS, hear, request)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[RunOptions]:
    """What runs are asked for; each is read from those that have ended, and takes a minute."""
    found, clock = list[RunOptions](), [1_000_000.0]
    monkeypatch.setattr(nested.time, "time", lambda: clock[0])

    def pretend(
        options: RunOptions, listener: Callable[[Event], None], request: StopRequest
    ) -> RunOutcome:
        found.append(options)
        clock[0] += 60
        folder = RunFolder(runs(Path())[0])
        return RunOutcome(folder=folder, results=folder.read_results(), stopped=None)

    monkeypatch.setattr(nested, "run", pretend)
    return found


@pytest.mark.slow
def test_every_image_tests_once(done: tuple[Path, Outcome]) -> None:
    place, outcome = done
    assert outcome.code == 0, outcome.err
    parts: dict[str, Counter[str]] = {}
    for folder in runs(place):
        with open(folder / "split.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                parts.setdefault(row["image"], Counter()).update([row["part"]])
    assert len(parts) == 6
    assert {count["test"] for count in parts.values()} == {1}
    assert {count.total() for count in parts.values()} == {len(runs(place))} == {3}


@pytest.mark.slow
def test_results_take_the_runs_together(done: tuple[Path, Outcome]) -> None:
    place, outcome = done
    path = place / outcome.out.strip()
    found = json.loads(path.read_text(encoding="utf-8"))
    folders = [place / fold["folder"] for fold in found["folds"]]
    assert (path.parent, folders) == (place / "reports" / "photos", runs(place))
    assert (found["schema_version"], sum(fold["n_test"] for fold in found["folds"])) == (1, 6)
    tests = [RunFolder(folder).read_results().models[0].runs for folder in folders]
    n_right = sum(run.test.accuracy * run.test.n for seeds in tests for run in seeds) / 2
    (model,) = found["models"]
    assert (model["name"], model["n"]) == ("tuned", 6)
    assert model["accuracy"] == pytest.approx(n_right / 6)
    (winning,) = found["winners"]
    assert winning["name"] == "filters"
    assert sum(n for _, n in winning["counts"]) == 3


def test_people_read_of_each_outer_fold_and_of_all(done: tuple[Path, Outcome]) -> None:
    lines = done[1].err.splitlines()
    assert [line for line in lines if line.startswith("Outer fold")] == [
        f"Outer fold {i} of 3 ..." for i in (1, 2, 3)
    ]
    assert "Accuracy of 3 outer folds; 6 images, each tested once:" in lines
    reports = [
        f"Report {i} {path.relative_to(done[0])}/report.html"
        for i, path in enumerate(runs(done[0]), start=1)
    ]
    assert lines[-4:-1] == reports
    assert lines.count("  note: images are resized to 8x8, grey") == 1


def test_recipe_of_an_outer_fold_gives_its_split_again(place: Path) -> None:
    card = resolve("./photos", card_folders(), OPTIONS.data_dir)
    for number, folder in enumerate(runs(place), start=1):
        recipe = read_recipe(folder / "best.yaml")
        assert recipe.data.split.outer == number
        dataset = load_dataset(card, OPTIONS.data_dir, recipe.data.split)
        with open(folder / "split.csv", newline="", encoding="utf-8") as file:
            tested = [row["image"] for row in csv.DictReader(file) if row["part"] == "test"]
        assert [dataset.images.origins[i] for i in dataset.split.test] == tested


def test_what_has_ended_is_read_and_not_made_again(place: Path, asked: list[RunOptions]) -> None:
    before, events = runs(place), list[Event]()
    outcome = run_nested(OPTIONS, events.append, StopRequest())
    assert (asked, [folder.path.name for folder in outcome.folders]) == (
        [],
        [path.name for path in before],
    )
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert texts[0] == f"outer fold 1 of 3 has been tested before ({before[0].name})"
    assert outcome.file is not None
    assert outcome.file.is_file()


def test_outer_folds_of_another_precision_are_told_and_not_pooled(
    place: Path, asked: list[RunOptions]
) -> None:
    before, events = runs(place), list[Event]()
    run_nested(replace(OPTIONS, precision="mixed_bfloat16"), events.append, StopRequest())
    assert [options.precision for options in asked] == ["mixed_bfloat16"] * 3
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert texts[:3] == [
        f"outer fold {number} has been tested in float32 ({run.name}), and is tested again; to keep"
        " it, use --precision float32"
        for number, run in enumerate(before, start=1)
    ]
    run_nested(replace(OPTIONS, precision="float32"), events.append, StopRequest())
    assert len(asked) == 3


@pytest.mark.slow
def test_interrupted_cross_validation_goes_on_where_it_was(place: Path) -> None:
    whole = json.loads(
        next(Path("reports/photos").glob("nested-*.json")).read_text(encoding="utf-8")
    )
    shutil.rmtree("reports")
    stopped = interrupted_in(2)
    assert (stopped.stopped, len(stopped.folders), stopped.results) == ("interrupted", 1, None)
    first, second = runs(place)
    events: list[Event] = []
    outcome = run_nested(replace(OPTIONS, resume=True), events.append, StopRequest())
    begun = [Path(event.folder).name for event in events if isinstance(event, RunStarted)]
    assert (len(begun), begun[0]) == (2, second.name)
    assert [folder.path.name for folder in outcome.folders][:2] == [first.name, second.name]
    assert len(runs(place)) == 3
    assert outcome.results is not None
    assert [model.fold_accuracies for model in outcome.results.models] == [
        tuple(model["fold_accuracies"]) for model in whole["models"]
    ]


def test_stop_that_is_asked_for_between_two_runs_begins_no_other(
    place: Path, asked: list[RunOptions]
) -> None:
    request = StopRequest()
    request.reason = "terminated"
    outcome = run_nested(replace(OPTIONS, resume=False), silent, request)
    assert (asked, outcome.stopped, outcome.folders, outcome.n_outer) == ([], "terminated", (), 3)


def test_fresh_makes_all_runs_again(place: Path, asked: list[RunOptions]) -> None:
    run_nested(replace(OPTIONS, resume=False), silent, StopRequest())
    assert [(options.outer, options.resume) for options in asked] == [
        (1, False),
        (2, False),
        (3, False),
    ]


@pytest.mark.parametrize("broken", ["results.json", "config.yaml"])
def test_run_that_cannot_be_read_is_made_again(
    place: Path, asked: list[RunOptions], broken: str
) -> None:
    (runs(place)[1] / broken).unlink()
    run_nested(OPTIONS, silent, StopRequest())
    assert [options.outer for options in asked] == [2]


def test_search_only_run_of_an_outer_fold_does_not_count_as_tested(
    place: Path, asked: list[RunOptions]
) -> None:
    path = runs(place)[2] / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"models": []}))
    run_nested(OPTIONS, silent, StopRequest())
    assert [options.outer for options in asked] == [3]


def test_time_budget_is_shared_out_over_the_outer_folds_that_are_left(
    place: Path, asked: list[RunOptions]
) -> None:
    run_nested(replace(OPTIONS, resume=False, time_budget_s=300.0), silent, StopRequest())
    assert [options.time_budget_s for options in asked] == [100.0, 120.0, 180.0]
    asked.clear()
    shutil.rmtree(runs(place)[0])
    run_nested(replace(OPTIONS, time_budget_s=300.0), silent, StopRequest())
    assert [(options.outer, options.time_budget_s) for options in asked] == [(1, 300.0)]


def test_resume_insists_on_the_first_outer_fold_only(place: Path, asked: list[RunOptions]) -> None:
    for folder in runs(place)[1:]:
        shutil.rmtree(folder)
    run_nested(replace(OPTIONS, resume=True), silent, StopRequest())
    assert [(options.outer, options.resume) for options in asked] == [(2, None), (3, None)]


def test_resume_goes_on_where_only_a_later_outer_fold_has_ended(
    place: Path, asked: list[RunOptions]
) -> None:
    for folder in (runs(place)[0], runs(place)[2]):
        shutil.rmtree(folder)
    run_nested(replace(OPTIONS, resume=True), silent, StopRequest())
    assert [(options.outer, options.resume) for options in asked] == [(1, None), (3, None)]


def test_outer_fold_that_read_changed_data_is_not_pooled(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in Path("reports/photos").glob("nested-*.json"):
        file.unlink()
    old, made = RunFolder(runs(place)[0]), list[int | None]()
    results = old.read_results()

    def pretend(
        options: RunOptions, listener: Callable[[Event], None], request: StopRequest
    ) -> RunOutcome:
        made.append(options.outer)
        data = replace(results.data, fingerprint="other") if options.outer == 2 else results.data
        return RunOutcome(folder=old, results=replace(results, data=data), stopped=None)

    monkeypatch.setattr(nested, "run", pretend)
    with pytest.raises(DataError) as caught:
        run_nested(replace(OPTIONS, resume=False), silent, StopRequest())
    assert caught.value.message == (
        "photos: images or labels changed before outer fold 2 of 3 read them, so its scores"
        " cannot be pooled with the others'"
    )
    assert caught.value.hint == (
        "restore what has changed, or keep the data as they are now. Then repeat the command:"
        " it keeps the outer folds that were tested on the same data and repeats the others."
    )
    assert made == [1, 2]
    assert not list(Path("reports/photos").glob("nested-*.json"))


def test_only_what_every_run_begins_with_is_told_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(runs(place)[0])
    numbers = dict.fromkeys(
        ("n_train", "n_validation", "n_folds", "n_test", "n_trials", "n_epochs"), 1
    )
    begin = RunStarted(
        dataset="Photos", folder="x", objective="val_accuracy", direction="max", **numbers
    )

    def pretend(
        options: RunOptions, listener: Callable[[Event], None], request: StopRequest
    ) -> RunOutcome:
        for event in (
            begin,
            Notice(text="small"),
            StageStarted(title=SEARCHING),
            Notice(text="tried again"),
        ):
            listener(event)
        return RunOutcome(folder=folder, results=folder.read_results(), stopped=None)

    monkeypatch.setattr(nested, "run", pretend)
    events: list[Event] = []
    run_nested(replace(OPTIONS, resume=False), events.append, StopRequest())
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert texts == ["small", "tried again", "tried again", "tried again"]


def test_resume_without_anything_begun_is_refused(place: Path) -> None:
    shutil.rmtree("reports")
    with pytest.raises(ConfigurationError) as caught:
        run_nested(replace(OPTIONS, resume=True), silent, StopRequest())
    assert caught.value.message == "reports/photos: there is no unfinished run to resume"


def test_json_ends_with_one_event_of_all(place: Path) -> None:
    shown = call(
        "run", "./photos", "--space", "space.yaml", *OTHER, "--nested", "--json", cwd=place
    )
    assert (shown.code, shown.err) == (0, "")
    last: dict[str, Any] = shown.records[-1]
    assert (last["event"], last["n_outer"], len(last["reports"])) == ("NestedEnded", 3, 3)
    assert Path(last["file"]).is_file()


def test_given_test_part_is_refused(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_photos(tmp_path / "given" / part, ["dark", "light"], n=3)
    shown = call("run", "./given", *OTHER, "--nested", cwd=tmp_path)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.splitlines() == [
        (
            "given: nested cross-validation tests every image in turn, but these data give a test"
            " part of 6 images, and only scores on that part can be compared with others'"
        ),
        "  Fix: leave --nested out.",
    ]
    assert not (tmp_path / "reports").exists()


def test_search_only_is_refused(place: Path) -> None:
    shown = call("run", "./photos", "--nested", "--search-only", cwd=place)
    assert shown.code == 2
    assert shown.err.splitlines() == [
        "--nested tests models on every image, but --search-only tests none",
        "  Fix: leave one of the two out.",
    ]
