"""The kept model of a contender, before the test set is opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.evaluation.test_evaluate import CONTENDER, failed, train
from tests.images import tiny_dataset
from tuner.data.dataset import Dataset
from tuner.evaluation.kept_model import keep_model, kept_training
from tuner.evaluation.validation_images import Validation, validation_of
from tuner.records.contender import Trained


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[Trained]:
    return train(tiny_dataset(), tmp_path_factory.mktemp("kept"), 2)


def validation(dataset: Dataset | None = None) -> Validation:
    return validation_of(dataset or tiny_dataset(), "val_accuracy")


def test_best_validated_retraining_is_saved_with_the_temperature_of_its_validation_images(
    trained: list[Trained], tmp_path: Path
) -> None:
    path = tmp_path / "models" / "tuned.keras"
    kept = keep_model(CONTENDER, trained, validation(), path)
    assert kept is not None
    scores = [one.validation_score(CONTENDER.early_stopping.monitor) for one in trained]
    assert kept.training is trained[scores.index(max(scores))]
    assert kept.file == path
    dataset = tiny_dataset()
    images = dataset.images.images[dataset.split.validation].astype("float32")
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(np.asarray(loaded(images)), kept.function(images), atol=1e-6)
    assert kept.temperature is not None
    assert kept.temperature.n == 16
    epochs = kept.training.result.epochs
    best = next(e for e in epochs if e.epoch == kept.training.result.best_epoch)
    before, after = kept.temperature.validation_log_loss
    assert before == pytest.approx(best.metrics["val_loss"], abs=1e-5)
    assert after != before


def test_test_labels_change_nothing(trained: list[Trained], tmp_path: Path) -> None:
    dataset = tiny_dataset()
    labels = dataset.images.labels.copy()
    labels[dataset.split.test] = 1 - labels[dataset.split.test]
    permuted = replace(dataset, images=replace(dataset.images, labels=labels))
    found = [
        keep_model(CONTENDER, trained, validation(data), tmp_path / "tuned.keras")
        for data in (dataset, permuted)
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].temperature == found[1].temperature


def test_failed_retrainings_leave_nothing_to_keep(trained: list[Trained], tmp_path: Path) -> None:
    lost = [failed(one) for one in trained]
    assert kept_training(CONTENDER, lost) is None
    assert keep_model(CONTENDER, lost, validation(), tmp_path / "tuned.keras") is None
    assert kept_training(CONTENDER, [lost[0], trained[1]]) is trained[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("row", "is_constant"), [((1.0, 0.0), True), ((0.4, 0.6), True), (None, False)]
)
def test_a_model_that_names_one_class_is_told(
    trained: list[Trained],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    row: tuple[float, float] | None,
    is_constant: bool,
) -> None:
    said = np.tile([row], (16, 1)) if row else np.eye(2)[np.arange(16) % 2]
    monkeypatch.setattr("tuner.evaluation.kept_model.predict", lambda *_: said)
    kept = keep_model(CONTENDER, trained, validation(), tmp_path / "tuned.keras")
    assert kept is not None
    assert kept.is_constant is is_constant


def test_outputs_that_are_no_probabilities_are_not_kept(
    trained: list[Trained], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.evaluation.kept_model.predict", lambda *_: np.full((16, 2), np.nan))
    kept = keep_model(CONTENDER, trained, validation(), tmp_path / "tuned.keras")
    assert kept is not None
    assert (kept.file, kept.temperature) == (None, None)
    assert list(tmp_path.iterdir()) == []
