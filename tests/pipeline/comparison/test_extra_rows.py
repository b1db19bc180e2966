"""Rows that train nothing: when they are chosen, their failures, and runs that are cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.calling import write_folds, write_space
from tests.evaluation.test_ensemble import TUNED
from tests.evaluation.test_evaluate import CONTENDER
from tests.images import tiny_dataset
from tuner.commands.run import RunOutcome, run
from tuner.data.dataset import SealedLabels
from tuner.errors import TunerError
from tuner.evaluation import augmented, ensemble
from tuner.evaluation.combined.kept_combination import NotOneModelError
from tuner.evaluation.sealed import OpenedTest, open_test
from tuner.evaluation.validation_images import validation_of
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.stop import StopRequest
from tuner.metrics.probabilities import ScoreError
from tuner.pipeline.comparison.extra_rows import Chosen, ExtraRow
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Event, ModelTrained, StageStarted
from tuner.records.results import ModelResult
from tuner.store.recipe_file import read_recipe

pytestmark = pytest.mark.slow

CHOICES = [
    "Choosing views of an image on validation images",
    "Choosing an ensemble on validation images",
]


class PowerCutError(BaseException):
    pass


def comparing(rows: str) -> tuple[str, str]:
    """What the tiny space says, and what it is to say: another comparison, and few trials."""
    search = "search: {method: hyperband, max_epochs: 2, factor: 2}\ncompare: "
    few = "search: {method: random, max_epochs: 1, max_trials: 3}\ncompare: "
    return f"{search}[]", f"{few}[{rows}]"


def options(folder: Path, **changes: Any) -> RunOptions:
    usual = {"dataset": "photos", "space": Path("tiny.yaml"), "seed": 3, "out": folder / "out"}
    return RunOptions(**usual | changes, execution=ExecutionOptions(executor="inline"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose space asks for both rows, on images of two folds."""
    folder = tmp_path_factory.mktemp("rows")
    write_folds(folder, ("dark", "light"), n=20)
    write_space(folder, *comparing("tuned_tta, ensemble"))
    return folder


@pytest.fixture
def place(asked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(asked)
    return asked


# What had been told each time that somebody broke the seal of the test labels.
TOLD: list[list[Event]] = []


@pytest.fixture(scope="module")
def whole(asked: Path) -> tuple[RunOutcome, list[Event]]:
    """A run of them that nothing disturbs."""
    events: list[Event] = []
    break_seal = SealedLabels.break_seal

    def watched(labels: SealedLabels) -> Any:
        TOLD.append(list(events))
        return break_seal(labels)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(asked)
        patch.setattr(SealedLabels, "break_seal", watched)
        return run(options(asked), events.append, StopRequest()), events


def rows(outcome: RunOutcome) -> dict[str, Any]:
    """The extra rows, without what two equal runs may differ in."""
    models = json.loads((outcome.folder.path / "results.json").read_text())["models"]
    return {
        model["name"]: {**model, "latency_ms": None, "file_size_bytes": None}
        for model in models[1:]
    }


def test_rows_are_chosen_before_the_test_set_is_opened(
    whole: tuple[RunOutcome, list[Event]],
) -> None:
    titles = [event.title for event in whole[1] if isinstance(event, StageStarted)]
    assert titles[-5:] == [
        *CHOICES,
        "Choosing the model to use on validation images",
        "Scoring on the test set",
        "Drawing test images for the report",
    ]


def test_the_seal_is_broken_once_when_everything_has_been_chosen(
    whole: tuple[RunOutcome, list[Event]],
) -> None:
    (told,) = TOLD
    assert [event.title for event in told if isinstance(event, StageStarted)][
        -1
    ] == "Scoring on the test set"
    n_trained = sum(isinstance(event, ModelTrained) for event in told)
    assert n_trained == sum(isinstance(event, ModelTrained) for event in whole[1]) > 0


def test_what_the_test_images_say_reaches_results_and_recipe(
    whole: tuple[RunOutcome, list[Event]],
) -> None:
    results = whole[0].folder.read_results()
    assert [difference.opponent for difference in results.differences] == ["tuned_tta", "ensemble"]
    assert results.main_difference is None
    assert results.recommendation is not None
    candidates = {one.name for one in results.recommendation.candidates}
    assert candidates | set(results.recommendation.left_out) == {"tuned", "tuned_tta", "ensemble"}
    assert results.temperature is not None
    recipe = read_recipe(whole[0].folder.recipe_of("tuned"))
    assert recipe.temperature == results.temperature.value
    assert results.gallery is not None
    shown = [*results.gallery.mistakes, *results.gallery.uncertain]
    assert {one.picture for one in shown} < set(whole[0].folder.read_pictures())
    assert results.importance is not None


def test_rows_stand_after_the_others_with_scores_and_notes(
    whole: tuple[RunOutcome, list[Event]],
) -> None:
    found = rows(whole[0])
    assert list(found) == ["tuned_tta", "ensemble"]
    assert found["tuned_tta"]["note"].startswith("validation chose: ")
    assert found["ensemble"]["note"].startswith("validation chose ")
    assert [len(model["runs"]) for model in found.values()] == [2, 1]
    predictions = np.load(whole[0].folder.path / "predictions.npz")
    assert {"tuned-0", "tuned-1", "tuned_tta-0", "tuned_tta-1", "ensemble-0"} < set(
        predictions.files
    )
    assert not whole[0].folder.state.exists()


def test_page_counts_no_training_twice_and_draws_no_empty_curves(
    whole: tuple[RunOutcome, list[Event]],
) -> None:
    page = whole[0].folder.report.read_text(encoding="utf-8")
    assert "Tuned, with test-time augmentation" in page
    assert re.search("Ensemble of . trials? \\(cnn\\)", page)
    assert "2 trainings, " in page
    assert "No epoch" not in page
    assert "not kept as one model" not in page


def cut_at(title: str) -> Callable[[Event], None]:
    def hear(event: Event) -> None:
        if isinstance(event, StageStarted) and event.title == title:
            raise PowerCutError

    return hear


def test_run_that_is_killed_while_choosing_and_while_scoring_goes_on_to_the_same_rows(
    place: Path, tmp_path: Path, whole: tuple[RunOutcome, list[Event]]
) -> None:
    for title in (CHOICES[1], "Scoring on the test set", "Drawing test images for the report"):
        with pytest.raises(PowerCutError):
            run(options(tmp_path), cut_at(title), StopRequest())
        assert 2 <= len(list(tmp_path.rglob("state/trial-*.npz"))) <= ensemble.N_CANDIDATES
    ended = run(options(tmp_path), lambda event: None, StopRequest())
    assert rows(ended) == rows(whole[0])
    assert (
        ended.folder.read_results().recommendation == whole[0].folder.read_results().recommendation
    )
    use = ended.folder.read_results().recommendation
    assert use is not None
    assert ended.folder.model.samefile(ended.folder.model_of(use.model))


def test_checkpoints_do_not_outlive_a_search_that_nobody_asks_an_ensemble_of(
    place: Path, tmp_path: Path
) -> None:
    write_space(tmp_path, *comparing("tuned_tta"))
    with pytest.raises(PowerCutError):
        run(options(tmp_path, space=tmp_path / "tiny.yaml"), cut_at(CHOICES[0]), StopRequest())
    left = [path.name for path in tmp_path.rglob("state/*.npz")]
    assert {"tuned-0.npz", "tuned-1.npz"} <= set(left)
    assert not [name for name in left if name.startswith("trial")]


def refuse(error: Exception) -> Callable[..., Any]:
    def raising(*arguments: object, **named: object) -> Any:
        raise error

    return raising


class Unlucky:
    """A choice whose scoring fails."""

    score = staticmethod(refuse(ValueError("trial-0001.npz is damaged")))


class NoFile:
    """A choice that no file can hold."""

    keep = staticmethod(refuse(NotOneModelError("a member holds the layer Mine")))

    def score(self, test: OpenedTest, tuned: ModelResult, kept: object) -> tuple[ModelResult, dict]:
        assert kept is None
        return replace(tuned, name="ensemble", note="why"), {}


def test_what_no_file_can_hold_has_scores_and_says_so(tmp_path: Path) -> None:
    row = ExtraRow("ensemble", "Ensemble", CONTENDER, NoFile)
    validation = validation_of(tiny_dataset(), "val_accuracy")
    assert row.keep(tmp_path / "ensemble.keras", validation, None) is None
    found, _ = row.score(open_test(tiny_dataset()), TUNED)
    assert found.note == "why; not kept as one model: a member holds the layer Mine"
    assert found.error is None


@pytest.mark.parametrize(
    ("choose", "reason"),
    [
        (
            refuse(TunerError("no retraining of the winner succeeded")),
            "no retraining of the winner succeeded",
        ),
        (refuse(FileNotFoundError("trial-0001.npz")), "FileNotFoundError: trial-0001.npz"),
        (Unlucky, "ValueError: trial-0001.npz is damaged"),
    ],
)
def test_what_goes_wrong_is_the_rows_error(choose: Callable[[], Chosen], reason: str) -> None:
    row, predicted = ExtraRow("ensemble", "Ensemble", CONTENDER, choose).score(
        open_test(tiny_dataset()), TUNED
    )
    assert (row.name, row.title, row.runs, row.error, predicted) == (
        "ensemble",
        "Ensemble",
        (),
        reason,
        {},
    )
    assert row.in_verdict is False


def test_a_failed_row_costs_no_report(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "choose_ensemble", refuse(MemoryError("no room")))
    monkeypatch.setattr(
        augmented, "choose_views", refuse(ScoreError("the probabilities are not finite"))
    )
    outcome = run(options(tmp_path), lambda event: None, StopRequest())
    found = rows(outcome)
    assert [model["error"] for model in found.values()] == [
        "the probabilities are not finite",
        "MemoryError: no room",
    ]
    assert [model["runs"] for model in found.values()] == [[], []]
    assert "has no scores: <bdi>MemoryError: no room" in outcome.folder.report.read_text(
        encoding="utf-8"
    )
