"""Scores on the sealed test images, from retrainings that never saw them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import SMALL_CNN, stopping, tiny_dataset
from tuner.data.dataset import Dataset
from tuner.evaluation.evaluate import evaluate
from tuner.evaluation.kept_model import keep_model
from tuner.evaluation.sealed import open_test
from tuner.evaluation.validation_images import validation_of
from tuner.execution.executor import Reports
from tuner.execution.inline import InlineExecutor
from tuner.execution.stop import StopRequest
from tuner.metrics.classification import score
from tuner.records.contender import Contender, Trained
from tuner.records.results import ModelResult
from tuner.records.training import Failure, TrainResult
from tuner.retrain.retrain import RetrainOrder, retrain
from tuner.training.data import TrainingData

CONTENDER = Contender(
    name="tuned",
    title="Tuned",
    model="cnn",
    values=SMALL_CNN,
    max_epochs=4,
    early_stopping=stopping(),
    note="a note",
    in_verdict=False,
)


def train(dataset: Dataset, folder: Path, n_seeds: int) -> list[Trained]:
    data = TrainingData(
        inputs=dataset.images.images,
        labels=dataset.images.labels,
        folds=dataset.split.folds,
        spec=dataset.spec,
    )
    order = RetrainOrder(seeds={CONTENDER.name: range(n_seeds)}, checkpoints=folder)
    with InlineExecutor(Reports(on_epoch=lambda task, epoch: None)) as executor:
        (trained,) = retrain([CONTENDER], data, order, executor, lambda event: None, StopRequest())
    return trained


@dataclass(frozen=True)
class Scored:
    """Three retrainings, of which the second failed, and what became of them."""

    dataset: Dataset
    trained: list[Trained]
    result: ModelResult
    predicted: dict[str, np.ndarray]
    path: Path


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    folder = tmp_path_factory.mktemp("evaluation")
    dataset = tiny_dataset()
    trained = train(dataset, folder, 3)
    trained[1] = failed(trained[1])
    path = folder / "models" / "tuned.keras"
    result, predicted = scored_by(CONTENDER, trained, dataset, path)
    return Scored(dataset, trained, result, predicted, path)


def scored_by(
    contender: Contender, trained: list[Trained], dataset: Dataset, path: Path
) -> tuple[ModelResult, dict[str, np.ndarray]]:
    """Keep the best one, as a run does it, then score all."""
    validation = validation_of(dataset, contender.early_stopping.monitor)
    kept = keep_model(contender, trained, validation, path)
    return evaluate(contender, trained, open_test(dataset), kept)


def failed(training: Trained) -> Trained:
    result = TrainResult(
        task_id="tuned-1", epochs=(), duration_s=0.0, failure=Failure(reason="out of memory")
    )
    return replace(training, result=result, checkpoint=Path("there is no such checkpoint"))


def test_failed_seed_is_left_out_and_the_others_are_scored(scored: Scored) -> None:
    assert [run.seed for run in scored.result.runs] == [0, 2]
    assert set(scored.predicted) == {"tuned-0", "tuned-2"}
    assert scored.result.error is None


def test_scores_are_of_all_test_images_and_no_others(scored: Scored) -> None:
    labels = scored.dataset.images.labels[scored.dataset.split.test]
    for run in scored.result.runs:
        found = scored.predicted[f"tuned-{run.seed}"]
        assert found.shape == (24, 2)
        np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
        assert run.test == score(labels, found, ("c0", "c1"))
        assert run.test.n == 24


def test_copies_of_given_training_images_are_scored_apart_too(
    scored: Scored, tmp_path: Path
) -> None:
    """The official score counts all test images; the other one only those that are new."""
    distinct = np.arange(24) % 3 > 0
    split = replace(scored.dataset.split, distinct_test=distinct, is_official=True)
    dataset = replace(scored.dataset, split=split)
    result, predicted = scored_by(CONTENDER, scored.trained, dataset, tmp_path / "tuned.keras")
    labels = dataset.images.labels[split.test]
    for run in result.runs:
        found = predicted[f"tuned-{run.seed}"]
        assert run.test == score(labels, found, ("c0", "c1"))
        assert run.test_distinct == score(labels[distinct], found[distinct], ("c0", "c1"))
        assert run.test_distinct.n == 16


def test_part_that_was_cut_has_no_copies_to_score_apart(scored: Scored) -> None:
    assert all(run.test_distinct is None for run in scored.result.runs)


def test_each_run_carries_its_curve_and_the_accuracy_of_its_kept_weights(scored: Scored) -> None:
    for run, training in zip(
        scored.result.runs, (scored.trained[0], scored.trained[2]), strict=True
    ):
        assert run.epochs == training.result.epochs
        assert run.best_epoch == training.result.best_epoch
        assert run.validation_score == max(e.metrics["val_accuracy"] for e in run.epochs)


def test_result_says_what_was_trained_and_what_it_costs(scored: Scored) -> None:
    result = scored.result
    assert (result.name, result.title, result.note, result.in_verdict) == (
        "tuned",
        "Tuned",
        "a note",
        False,
    )
    assert (result.model, result.values, result.max_epochs) == ("cnn", SMALL_CNN, 4)
    assert result.n_parameters == scored.trained[0].result.n_parameters
    assert result.file_size_bytes == scored.path.stat().st_size
    assert result.latency_ms is not None
    assert result.latency_ms > 0


def test_saved_model_is_that_of_the_best_validated_seed_in_plain_keras(scored: Scored) -> None:
    (best,) = (run for run in scored.result.runs if run.is_kept)
    assert best.validation_score == max(run.validation_score for run in scored.result.runs)
    model = keras.models.load_model(scored.path)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    images = scored.dataset.images.images[scored.dataset.split.test].astype("float32")
    np.testing.assert_allclose(
        np.asarray(model(images)), scored.predicted[f"tuned-{best.seed}"], atol=1e-6
    )
    assert [path.name for path in scored.path.parent.iterdir()] == ["tuned.keras"]


def test_contender_whose_trainings_all_failed_has_its_reason_and_no_model(
    scored: Scored, tmp_path: Path
) -> None:
    path = tmp_path / "tuned.keras"
    result, predicted = scored_by(
        CONTENDER, [failed(t) for t in scored.trained], scored.dataset, path
    )
    assert (result.runs, result.error, predicted) == ((), "out of memory", {})
    assert (result.n_parameters, result.file_size_bytes, result.latency_ms) == (None, None, None)
    assert not path.exists()


def test_test_images_change_no_training(scored: Scored, tmp_path: Path) -> None:
    dataset = scored.dataset
    images = dataset.images.images.copy()
    labels = dataset.images.labels.copy()
    images[dataset.split.test] = 255
    labels[dataset.split.test] = 99
    poisoned = replace(dataset, images=replace(dataset.images, images=images, labels=labels))
    (training,) = train(poisoned, tmp_path, 1)
    assert curve(training) == curve(scored.trained[0])


def curve(training: Trained) -> list[dict[str, Any]]:
    return [dict(epoch.metrics) for epoch in training.result.epochs]


def test_kept_seed_has_the_lowest_loss_where_that_is_the_objective(
    scored: Scored, tmp_path: Path
) -> None:
    contender = replace(
        CONTENDER, early_stopping=replace(stopping(), monitor="val_loss", direction="min")
    )
    result, _ = scored_by(contender, scored.trained, scored.dataset, tmp_path / "tuned.keras")
    (kept,) = (run for run in result.runs if run.is_kept)
    assert kept.validation_score == min(run.validation_score for run in result.runs)


def test_contender_whose_predictions_are_no_numbers_has_that_as_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset = tiny_dataset()
    trained = train(dataset, tmp_path, n_seeds=1)
    monkeypatch.setattr(
        "tuner.evaluation.evaluate.predict",
        lambda function, inputs, indices: np.full((len(indices), dataset.spec.n_classes), np.nan),
    )
    result, predicted = scored_by(CONTENDER, trained, dataset, tmp_path / "tuned.keras")
    assert result.runs == ()
    assert predicted == {}
    assert "finite" in (result.error or "")
    assert (result.file_size_bytes, result.latency_ms) == (None, None)
