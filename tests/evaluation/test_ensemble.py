"""An ensemble of trials: how it is put together, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.images import SMALL_CNN, tiny_dataset, train_task
from tuner.backend.active import predictor
from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold
from tuner.evaluation import ensemble
from tuner.evaluation.ensemble import Ensemble, EnsembleCandidate, choose_ensemble, select
from tuner.evaluation.sealed import open_test
from tuner.evaluation.validation_images import validation_of
from tuner.metrics.classification import score
from tuner.records.results import ModelResult
from tuner.records.training import TrainResult
from tuner.records.trial import Trial
from tuner.training.data import TrainingData
from tuner.training.finished import finished_model
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

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
            rung=0, parent_id=None, first_epoch=1, last_epoch=3, score=0.5,
        )  # fmt: skip
        path = folder / f"{number}.npz"
        task = train_task(values=trial.values, last_epoch=3, save_to=path)
        results.append(
            run_task(task, data, Hooks(on_epoch=lambda task, epoch: None), PreparedModels(0))
        )
        candidates.append(EnsembleCandidate(trial=trial, checkpoint=path))
    return Searched(dataset, candidates, results)


def test_each_image_validates_with_the_model_that_never_trained_on_it(searched: Searched) -> None:
    """What the training measured on its own folds comes out again."""
    for candidate, result in zip(searched.candidates, searched.results, strict=True):
        for objective, name in (("val_accuracy", "val_accuracy"), ("val_loss", "val_loss")):
            found = choose_ensemble("cnn", [candidate], validation_of(searched.dataset, objective))
            assert found.validation_score == pytest.approx(
                result.epochs[-1].metrics[name], abs=1e-4
            )


def test_note_says_who_stands_alone_and_why(searched: Searched) -> None:
    found = choose_ensemble(
        "cnn", searched.candidates[1:], validation_of(searched.dataset, "val_accuracy")
    )
    assert found.counts == (1,)
    assert (
        found.note == "validation chose trial 0001 alone: adding other trials made it no better "
        f"(validation accuracy {found.validation_score:.4f})"
    )


def test_note_says_the_weights_and_what_the_best_one_alone_reached(
    monkeypatch: pytest.MonkeyPatch, searched: Searched
) -> None:
    monkeypatch.setattr(ensemble, "select", lambda predicted, cost: (3, 1))
    found = choose_ensemble(
        "cnn", searched.candidates, validation_of(searched.dataset, "val_accuracy")
    )
    best = max(result.epochs[-1].metrics["val_accuracy"] for result in searched.results)
    assert (
        found.note == "validation chose 0.75 of trial 0000, 0.25 of trial 0001 (validation accuracy"
        f" {found.validation_score:.4f}; the best one alone {best:.4f})"
    )


@pytest.mark.slow
def test_test_labels_have_no_say(searched: Searched) -> None:
    images = searched.dataset.images
    labels = images.labels.copy()
    labels[searched.dataset.split.test] = 1 - labels[searched.dataset.split.test]
    permuted = replace(searched.dataset, images=replace(images, labels=labels))
    for objective in ("val_accuracy", "val_loss"):
        before, after = (
            choose_ensemble("cnn", searched.candidates, validation_of(dataset, objective))
            for dataset in (searched.dataset, permuted)
        )
        assert before == after


def test_test_probabilities_are_weighted_means_over_trials_and_their_folds(
    searched: Searched,
) -> None:
    dataset = searched.dataset
    row, predicted = Ensemble(
        model="cnn",
        candidates=tuple(searched.candidates),
        counts=(3, 1),
        n_folds=2,
        validation_score=0.7,
        note="why",
    ).score(open_test(dataset), TUNED)
    expected = np.zeros((24, 2))
    for candidate, weight in zip(searched.candidates, (0.75, 0.25), strict=True):
        for fold in range(2):
            model = finished_model(
                "cnn",
                candidate.trial.values,
                dataset.spec,
                candidate.checkpoint,
                fold=fold,
                n_folds=2,
            )
            expected += weight / 2 * predictor(model)(dataset.images.images[dataset.split.test])
    np.testing.assert_allclose(predicted["ensemble-0"], expected, atol=1e-6)
    (run,) = row.runs
    assert run.test == score(
        dataset.images.labels[dataset.split.test], predicted["ensemble-0"], ("c0", "c1")
    )
    assert (run.epochs, run.is_kept, run.validation_score) == ((), True, 0.7)
    assert (row.name, row.title, row.note) == ("ensemble", "Ensemble of up to 5 trials", "why")
    assert (row.in_verdict, row.max_epochs, row.file_size_bytes) == (False, 3, None)
    assert row.n_parameters == 4 * (searched.results[0].n_parameters or 0)
    assert (row.latency_ms or 0) > 0


def test_trials_that_were_not_selected_are_not_even_read_nor_their_epochs_counted(
    searched: Searched, tmp_path: Path
) -> None:
    longer = replace(searched.candidates[1].trial, last_epoch=27)
    gone = EnsembleCandidate(trial=longer, checkpoint=tmp_path / "there is no such checkpoint")
    alone = Ensemble(
        model="cnn",
        candidates=(searched.candidates[0], gone),
        counts=(1, 0),
        n_folds=2,
        validation_score=0.7,
        note="",
    )
    row, _ = alone.score(open_test(searched.dataset), TUNED)
    assert row.n_parameters == 2 * (searched.results[0].n_parameters or 0)
    assert row.max_epochs == 3


def test_a_missing_checkpoint_is_an_error(searched: Searched, tmp_path: Path) -> None:
    gone = replace(searched.candidates[1], checkpoint=tmp_path / "gone.npz")
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        choose_ensemble(
            "cnn", [searched.candidates[0], gone], validation_of(searched.dataset, "val_accuracy")
        )
