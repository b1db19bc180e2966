"""An ensemble of trials: how it is put together, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import SMALL_CNN, tiny_dataset, train_task
from tests.kept_models import KEPT_MODELS
from tuner.backend.active import predictor
from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold
from tuner.evaluation import ensemble
from tuner.evaluation.combined.ensemble_model import (
    Ensemble,
    EnsembleCandidate,
    ensemble_title,
)
from tuner.evaluation.ensemble import choose_ensemble, given_ensemble, select
from tuner.evaluation.out_of_choice import OutOfChoice
from tuner.evaluation.sealed import open_test
from tuner.evaluation.validation_images import validation_of
from tuner.metrics.calibration import tempered
from tuner.metrics.classification import score
from tuner.records.results import ModelResult
from tuner.records.training import TrainResult
from tuner.records.trial import Trial
from tuner.training.data import TrainingData
from tuner.training.finished import finished_model
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks

LABELS = np.array([0, 0, 1, 1])
TUNED = ModelResult(
    name="tuned", title="Tuned", note="", in_verdict=True, model="cnn", values={}, n_parameters=1,
    file_size_bytes=1, latency_ms=1.0, max_epochs=1, runs=(),
)  # fmt: skip


def of_first(*shares: float) -> np.ndarray:
    """Probabilities from those of the first class."""
    return np.stack([shares, 1 - np.array(shares)], axis=1)


def n_wrong(probabilities: np.ndarray) -> float:
    return float(np.count_nonzero(probabilities.argmax(axis=1) != LABELS))


def log_loss(probabilities: np.ndarray) -> float:
    return float(-np.log(probabilities[np.arange(4), LABELS]).mean())


@pytest.mark.parametrize("cost", [n_wrong, log_loss])
def test_models_that_make_other_mistakes_are_mixed(cost: Callable[[np.ndarray], float]) -> None:
    predicted = [
        of_first(0.9, 0.45, 0.1, 0.1),
        of_first(0.45, 0.9, 0.1, 0.1),
        of_first(0.1, 0.1, 0.9, 0.9),
    ]
    assert select(predicted, cost) == (1, 1, 0)


def test_the_best_one_stands_alone_where_no_mix_is_better() -> None:
    assert select([of_first(0.6, 0.4, 0.4, 0.4), of_first(0.9, 0.9, 0.1, 0.1)], n_wrong) == (0, 1)
    assert select([of_first(0.6, 0.4, 0.4, 0.4), of_first(0.9, 0.9, 0.1, 0.1)], log_loss) == (0, 1)


def test_of_equal_models_the_first_is_selected() -> None:
    assert select([of_first(0.6, 0.6, 0.4, 0.6), of_first(0.6, 0.6, 0.6, 0.4)], n_wrong) == (1, 0)


def test_a_model_is_selected_again_where_more_of_it_is_better() -> None:
    # The second image needs two parts of the first model to one of the second, the last image some
    # of the second.
    first, second = of_first(0.9, 0.8, 0.1, 0.6), of_first(0.9, 0.1, 0.1, 0.1)
    counts = select([first, second], n_wrong)
    assert counts == (2, 1)
    assert n_wrong(np.average([first, second], axis=0, weights=counts)) == 0


@dataclass(frozen=True)
class Searched:
    """Trials of two folds."""

    dataset: Dataset
    candidates: list[EnsembleCandidate]
    results: list[TrainResult]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    folder, dataset = tmp_path_factory.mktemp("trials"), tiny_dataset()
    folds = tuple(
        Fold(train=np.setdiff1d(np.arange(64), part), validation=part)
        for part in (np.arange(32), np.arange(32, 64))
    )
    dataset = replace(dataset, split=replace(dataset.split, folds=folds))
    data = TrainingData(
        inputs=dataset.images.images, labels=dataset.images.labels, folds=folds, spec=dataset.spec
    )
    candidates, results = [], []
    for number, rate in enumerate((0.01, 0.03)):
        trial = Trial(
            trial_id=f"{number:04d}", values={**SMALL_CNN, "learning_rate": rate}, bracket=0,
            rung=0, parent_id=None, first_epoch=1, last_epoch=3, score=0.5, model="cnn",
        )  # fmt: skip
        path = folder / f"{number}.npz"
        task = train_task(values=trial.values, last_epoch=3, save_to=path)
        results.append(run_task(task, data, Hooks(on_epoch=lambda task, epoch: None), KEPT_MODELS))
        candidates.append(EnsembleCandidate(trial=trial, checkpoint=path))
    return Searched(dataset, candidates, results)


def test_each_image_validates_with_the_model_that_never_trained_on_it(searched: Searched) -> None:
    """What the training measured on its own folds comes out again."""
    for candidate, result in zip(searched.candidates, searched.results, strict=True):
        found = choose_ensemble([candidate], validation_of(searched.dataset, "val_accuracy"))
        measured = result.epochs[-1].metrics["val_accuracy"]
        assert np.mean(found.found.argmax(axis=1) == found.labels) == pytest.approx(measured)
        # A temperature changes no class, and one trial leaves nothing else to choose.
        assert found.worth.scores == pytest.approx((measured,))
        assert found.worth.n_images == 64


def test_note_says_who_stands_alone_and_why(searched: Searched) -> None:
    found = choose_ensemble(
        searched.candidates[1:], validation_of(searched.dataset, "val_accuracy")
    )
    assert found.counts == (1,)
    score = f"{100 * found.worth.scores[0]:.2f} %"
    assert (
        found.note == "validation chose trial 0001 alone: adding other trials made it no better "
        f"(validation accuracy {score}, {score} where other images choose)"
    )


def test_note_says_the_weights_and_what_the_best_one_alone_reached(
    monkeypatch: pytest.MonkeyPatch, searched: Searched
) -> None:
    monkeypatch.setattr(ensemble, "select", lambda predicted, cost: (3, 1))
    found = choose_ensemble(searched.candidates, validation_of(searched.dataset, "val_accuracy"))
    best = max(result.epochs[-1].metrics["val_accuracy"] for result in searched.results)
    reached = np.mean(found.found.argmax(axis=1) == found.labels)
    assert (
        found.note
        == "validation chose 0.75 of trial 0000, 0.25 of trial 0001 (validation accuracy"
        f" {reached:.2%}, {found.worth.scores[0]:.2%} where other images choose; the best one alone"
        f" {best:.2%})".replace("%", " %")
    )


@pytest.mark.slow
def test_test_labels_have_no_say(searched: Searched) -> None:
    images = searched.dataset.images
    labels = images.labels.copy()
    labels[searched.dataset.split.test] = 1 - labels[searched.dataset.split.test]
    permuted = replace(searched.dataset, images=replace(images, labels=labels))
    for objective in ("val_accuracy", "val_loss"):
        before, after = (
            choose_ensemble(searched.candidates, validation_of(dataset, objective))
            for dataset in (searched.dataset, permuted)
        )
        assert (before.combination, before.note, before.worth) == (
            after.combination,
            after.note,
            after.worth,
        )


def given(searched: Searched, counts: tuple[float, ...], **changes: Any) -> Ensemble:
    """An ensemble of two trials, of which the first is cooled down."""
    usual: dict[str, Any] = {
        "candidates": tuple(searched.candidates),
        "counts": counts,
        "temperatures": (2.0, None),
        "n_folds": 2,
        "worth": OutOfChoice(scores=(0.7,), standard_error=0.05, n_images=64),
        "note": "why",
        "labels": np.arange(64) % 2,
        "found": np.full((64, 2), 0.5),
    }
    return Ensemble(**usual | changes)


def mean_of_networks(searched: Searched, rows: np.ndarray) -> np.ndarray:
    """Three parts of the first trial, after its temperature, and one of the second."""
    dataset, expected = searched.dataset, np.zeros((len(rows), 2))
    for candidate, weight, temperature in zip(
        searched.candidates, (0.75, 0.25), (2.0, 1.0), strict=True
    ):
        for fold in range(2):
            model = finished_model(
                "cnn",
                candidate.trial.values,
                dataset.spec,
                candidate.checkpoint,
                fold=fold,
                n_folds=2,
            )
            found = tempered(predictor(model)(dataset.images.images[rows]), temperature)
            expected += weight / 2 * found
    return expected


@pytest.mark.parametrize("is_kept", [True, False])
def test_test_probabilities_are_weighted_means_over_trials_and_their_folds(
    searched: Searched, tmp_path: Path, is_kept: bool
) -> None:
    dataset, ensemble = searched.dataset, given(searched, (3, 1))
    validation = validation_of(dataset, "val_accuracy")
    kept = ensemble.keep(tmp_path / "ensemble.keras", validation) if is_kept else None
    row, predicted = ensemble.score(open_test(dataset), TUNED, kept)
    expected = mean_of_networks(searched, dataset.split.test)
    np.testing.assert_allclose(predicted["ensemble-0"], expected, atol=1e-6)
    (run,) = row.runs
    assert run.test == score(
        dataset.images.labels[dataset.split.test], predicted["ensemble-0"], ("c0", "c1")
    )
    assert (run.epochs, run.is_kept, run.validation_score) == ((), True, 0.7)
    assert (row.name, row.title, row.note) == ("ensemble", "Ensemble of 2 trials (cnn)", "why")
    assert (row.in_verdict, row.max_epochs, row.model) == (False, 3, "cnn")
    assert row.n_parameters == 4 * (searched.results[0].n_parameters or 0)
    assert (row.latency_ms or 0) > 0
    assert (row.file_size_bytes is not None) is is_kept


def test_file_of_an_ensemble_says_what_its_row_says(searched: Searched, tmp_path: Path) -> None:
    dataset, ensemble = searched.dataset, given(searched, (3, 1))
    kept = ensemble.keep(tmp_path / "ensemble.keras", validation_of(dataset, "val_accuracy"))
    _, predicted = ensemble.score(open_test(dataset), TUNED, kept)
    loaded = keras.models.load_model(kept.file)
    images = dataset.images.images[dataset.split.test].astype("float32")
    np.testing.assert_allclose(loaded(images), predicted["ensemble-0"], atol=1e-6)
    assert kept.footprint.file_bytes == kept.file.stat().st_size
    assert (kept.n_networks, kept.n_views) == (4, 1)


def test_members_are_stated_with_what_trains_them_again(searched: Searched) -> None:
    members = given(searched, (1, 3)).combination.members
    assert [one.trial_id for one in members] == ["0001", "0000"]
    assert [one.share for one in members] == [0.75, 0.25]
    assert [one.temperature for one in members] == [None, 2.0]
    assert {(one.model, one.epochs) for one in members} == {("cnn", 3)}
    assert members[0].values["learning_rate"] == 0.03


def test_title_names_every_family_of_the_members(searched: Searched) -> None:
    members = given(searched, (1, 3)).combination.members
    other = replace(members[1], model="efficientnet_lite2")
    assert ensemble_title([members[0], other]) == "Ensemble of 2 trials (cnn, efficientnet_lite2)"
    assert ensemble_title(members[:1]) == "Ensemble of 1 trial (cnn)"


def test_trials_that_were_not_selected_are_not_even_read_nor_their_epochs_counted(
    searched: Searched, tmp_path: Path
) -> None:
    longer = replace(searched.candidates[1].trial, last_epoch=27)
    gone = EnsembleCandidate(trial=longer, checkpoint=tmp_path / "there is no such checkpoint")
    alone = given(searched, (1, 0), candidates=(searched.candidates[0], gone))
    row, _ = alone.score(open_test(searched.dataset), TUNED, None)
    assert row.n_parameters == 2 * (searched.results[0].n_parameters or 0)
    assert row.max_epochs == 3


def test_members_trained_anew_keep_the_shares_and_get_temperatures_of_their_own(
    searched: Searched,
) -> None:
    validation = validation_of(searched.dataset, "val_accuracy")
    chosen = given(searched, (3, 1))
    checkpoints = [candidate.checkpoint for candidate in searched.candidates]
    members = zip(chosen.combination.members, checkpoints, strict=True)
    again = given_ensemble(list(members), validation)
    assert [one.share for one in again.combination.members] == [0.75, 0.25]
    assert all(one.temperature for one in again.combination.members)
    assert len(again.found) == 64


def test_members_keep_their_temperatures_where_nothing_fits_them(searched: Searched) -> None:
    validation = validation_of(searched.dataset, "val_accuracy")
    chosen = given(searched, (3, 1))
    checkpoints = [candidate.checkpoint for candidate in searched.candidates]
    stated = [
        replace(member, temperature=3.0 + number)
        for number, member in enumerate(chosen.combination.members)
    ]
    again = given_ensemble(list(zip(stated, checkpoints, strict=True)), validation, fits=False)
    assert [one.temperature for one in again.combination.members] == [3.0, 4.0]


def test_a_missing_checkpoint_is_an_error(searched: Searched, tmp_path: Path) -> None:
    gone = replace(searched.candidates[1], checkpoint=tmp_path / "gone.npz")
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        choose_ensemble(
            [searched.candidates[0], gone], validation_of(searched.dataset, "val_accuracy")
        )
