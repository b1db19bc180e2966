"""One training from its order to its result."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import SMALL_CNN, stopping, train_task, training_data
from tuner.backend.active import predictor
from tuner.backend.policy import Policy
from tuner.errors import DataError
from tuner.metrics.classification import score
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.training.batch_predict import predict
from tuner.training.checkpoint import load_checkpoint, put_state
from tuner.training.compiled import compiled_model, probabilities
from tuner.training.data import TrainingData
from tuner.training.finished import finished_model
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

DATA = training_data()
VALIDATION = DATA.folds[0].validation


MODELS = PreparedModels()
MEASURED = ("loss", "accuracy", "macro_f1", "balanced_accuracy")


def silent(task: TrainTask, epoch: EpochMetrics) -> None:
    """Hear nothing."""


def run(data: TrainingData = DATA, hooks: Hooks | None = None, **changes: Any) -> TrainResult:
    return run_task(train_task(**changes), data, hooks or Hooks(on_epoch=silent), MODELS)


def curve(result: TrainResult) -> list[dict[str, float]]:
    assert result.failure is None, result.failure
    return [dict(epoch.metrics) for epoch in result.epochs]


def outputs(checkpoint: Path, data: TrainingData, indices: np.ndarray, **values: Any) -> np.ndarray:
    model = finished_model("cnn", {**SMALL_CNN, **values}, data.spec, checkpoint)
    return predict(predictor(model), data.inputs, indices)


def test_learns_what_the_classes_are() -> None:
    result = run(last_epoch=8)
    assert result.epochs[-1].metrics["val_accuracy"] >= 0.9
    assert result.epochs[-1].metrics["loss"] < result.epochs[0].metrics["loss"]
    assert (result.task_id, result.best_epoch, result.failure) == ("t", 8, None)
    assert result.n_parameters == compiled_model("cnn", SMALL_CNN, DATA.spec).count_params()
    assert result.duration_s >= sum(epoch.duration_s for epoch in result.epochs) > 0


def test_each_epoch_is_told_as_it_ends() -> None:
    told: list[tuple[TrainTask, EpochMetrics]] = []
    task = train_task(last_epoch=3)
    result = run_task(
        task, DATA, Hooks(on_epoch=lambda task, epoch: told.append((task, epoch))), MODELS
    )
    assert told == [(task, epoch) for epoch in result.epochs]
    assert [epoch.epoch for _, epoch in told] == [1, 2, 3]
    assert set(told[0][1].metrics) == {*MEASURED, *(f"val_{name}" for name in MEASURED)}


def test_without_validation_images_only_training_is_measured() -> None:
    result = run(replace(DATA, folds=(replace(DATA.folds[0], validation=np.arange(0)),)))
    assert all(set(metrics) == set(MEASURED) for metrics in curve(result))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_promotions_through_checkpoints_equal_one_go_to_the_last_bit(
    tmp_path: Path, optimizer: str
) -> None:
    # 48 images in batches of 20: the last batch is a partial one. Both dropouts are in use.
    values = {**SMALL_CNN, "optimizer": optimizer, "conv_dropout": 0.1}
    whole = run(values=values, last_epoch=6, save_to=tmp_path / "whole.npz")
    parts = []
    before = None
    for first, last in ((1, 1), (2, 3), (4, 6)):
        save_to = tmp_path / f"until-{last}.npz"
        parts += curve(
            run(
                values=values,
                first_epoch=first,
                last_epoch=last,
                resume_from=before,
                save_to=save_to,
            )
        )
        before = save_to
    assert parts == curve(whole)
    states = (
        load_checkpoint(tmp_path / "whole.npz").state,
        load_checkpoint(tmp_path / "until-6.npz").state,
    )
    assert len(states[0]) == len(states[1])
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


def test_same_seed_same_curve_and_another_seed_another_one() -> None:
    first = curve(run(seed=0))
    assert curve(run(seed=0)) == first
    assert curve(run(seed=1)) != first


def learning_rate(checkpoint: Path) -> float:
    model = compiled_model("cnn", SMALL_CNN, DATA.spec)
    model.optimizer.build(model.trainable_variables)
    put_state(model, load_checkpoint(checkpoint).state)
    return float(model.optimizer.learning_rate)


def test_cosine_schedule_falls_from_the_settings_rate_to_about_zero(tmp_path: Path) -> None:
    for last in (1, 2, 4):
        run(schedule="cosine", last_epoch=last, save_to=tmp_path / f"{last}.npz")
    # Half a cosine over the epochs; the checkpoint holds the rate of the last one.
    wanted = {1: 1.0, 2: 0.5, 4: 0.5 * (1 + np.cos(0.75 * np.pi))}
    for last, share in wanted.items():
        assert learning_rate(tmp_path / f"{last}.npz") == pytest.approx(0.01 * share, rel=1e-5)


def test_cosine_schedule_resumed_starts_from_the_settings_rate_again(tmp_path: Path) -> None:
    run(schedule="cosine", last_epoch=2, save_to=tmp_path / "2.npz")
    run(
        schedule="cosine",
        first_epoch=3,
        last_epoch=4,
        resume_from=tmp_path / "2.npz",
        save_to=tmp_path / "4.npz",
    )
    assert learning_rate(tmp_path / "4.npz") == pytest.approx(
        0.01 * 0.5 * (1 + np.cos(0.75 * np.pi)), rel=1e-5
    )


def test_schedule_that_a_builder_compiled_is_obeyed_in_the_place_of_the_cosine() -> None:
    own = "tests.training.builders:build_scheduled"
    assert curve(run(model=own, values={}, schedule="cosine")) == curve(run(model=own, values={}))


def test_validation_metrics_are_exact_over_partial_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.training.batch_predict.policy", lambda: Policy(predict_batch=7))
    result = run(save_to=tmp_path / "end.npz")
    found = outputs(tmp_path / "end.npz", DATA, VALIDATION)
    labels = DATA.labels[VALIDATION]
    metrics = result.epochs[-1].metrics
    assert metrics["val_accuracy"] == pytest.approx(
        np.mean(found.argmax(axis=1) == labels), abs=1e-6
    )
    assert metrics["val_loss"] == pytest.approx(
        -np.log(found[np.arange(16), labels]).mean(), abs=1e-5
    )
    scores = score(labels, found, DATA.spec.class_names)
    assert metrics["val_macro_f1"] == pytest.approx(scores.macro_f1, abs=1e-6)
    assert metrics["val_balanced_accuracy"] == pytest.approx(scores.balanced_accuracy, abs=1e-6)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_early_stopping_keeps_the_weights_of_the_best_epoch(tmp_path: Path, direction: str) -> None:
    rule = stopping(monitor="val_loss", direction=direction)
    result = run(last_epoch=5, early_stopping=rule, save_to=tmp_path / "best.npz")
    losses = [metrics["val_loss"] for metrics in curve(result)]
    best = min(losses) if direction == "min" else max(losses)
    assert result.best_epoch == 1 + losses.index(best)
    found = outputs(tmp_path / "best.npz", DATA, VALIDATION)
    assert -np.log(found[np.arange(16), DATA.labels[VALIDATION]]).mean() == pytest.approx(
        best, abs=1e-5
    )


def test_early_stopping_may_keep_an_epoch_that_is_not_the_last() -> None:
    result = run(last_epoch=5, early_stopping=stopping(monitor="val_loss", direction="max"))
    assert result.best_epoch is not None
    assert result.best_epoch < 5
    assert len(result.epochs) == 5


def test_patience_ends_a_training_that_no_longer_improves() -> None:
    values = {**SMALL_CNN, "learning_rate": 1e-8}
    result = run(values=values, last_epoch=20, early_stopping=stopping(patience=2))
    assert result.best_epoch is not None
    assert len(result.epochs) == result.best_epoch + 2 < 20


def test_stop_metric_ends_a_training_as_soon_as_its_value_is_reached() -> None:
    rule = stopping(stop_metric="accuracy", stop_value=0.9)
    result = run(values={**SMALL_CNN, "dropout": 0.0}, last_epoch=30, early_stopping=rule)
    reached = [metrics["accuracy"] >= 0.9 for metrics in curve(result)]
    assert reached[-1]
    assert not any(reached[:-1])
    assert len(reached) < 30


def test_unknown_monitor_lists_the_metrics_there_are() -> None:
    result = run(early_stopping=stopping(monitor="val_f1"))
    assert result.failure is not None
    names = ", ".join(sorted([*MEASURED, *(f"val_{name}" for name in MEASURED)]))
    wanted = f"there is no metric val_f1; the model gives {names}"
    assert result.failure.reason == wanted


def test_unknown_stop_metric_lists_the_metrics_there_are() -> None:
    result = run(early_stopping=stopping(stop_metric="f1", stop_value=1.0))
    assert result.failure is not None
    assert result.failure.reason.startswith(
        "there is no metric f1; the model gives accuracy, balanced_accuracy, loss"
    )


def test_epoch_whose_monitor_is_not_a_number_is_never_the_best() -> None:
    rule = stopping(monitor="val_own", direction="min")
    result = run(
        model="tests.training.builders:build_nan_first",
        values={},
        last_epoch=3,
        early_stopping=rule,
    )
    assert [metrics["val_own"] for metrics in curve(result)] == [
        pytest.approx(v, nan_ok=True) for v in (np.nan, 2, 3)
    ]
    assert result.best_epoch == 2


def test_diverged_training_fails_with_its_epoch_and_without_a_traceback() -> None:
    result = run(
        values={**SMALL_CNN, "optimizer": "sgd", "learning_rate": 1e30, "batch_norm": False},
        last_epoch=3,
    )
    assert result.failure is not None
    assert result.failure.reason in {
        f"the training loss became {v} in epoch {e}" for v in ("nan", "inf") for e in (1, 2)
    }
    assert result.failure.traceback == ""
    assert result.best_epoch is None


def test_validation_that_is_not_finite_fails_too() -> None:
    result = run(model="tests.training.builders:build_bad_validation", values={})
    assert result.failure is not None
    assert result.failure.reason == "the validation loss became inf in epoch 1"


def test_exception_in_a_builder_is_a_failure_with_its_traceback(tmp_path: Path) -> None:
    result = run(model="tests.training.builders:build_broken", save_to=tmp_path / "never.npz")
    assert result.failure is not None
    assert result.failure.reason == "ValueError: this builder is broken"
    assert "build_broken" in result.failure.traceback
    assert (result.epochs, result.n_parameters) == ((), None)
    assert not (tmp_path / "never.npz").exists()


def test_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    run(save_to=tmp_path / "small.npz")
    result = run(values={**SMALL_CNN, "filters": 5}, resume_from=tmp_path / "small.npz")
    assert result.failure is not None
    assert result.failure.reason == "ValueError: the checkpoint belongs to another network"


def test_own_training_step_is_obeyed(tmp_path: Path) -> None:
    model = "tests.training.builders:build_own_step"
    once, thrice = (
        run(model=model, values={}, last_epoch=n, save_to=tmp_path / f"{n}.npz") for n in (1, 3)
    )
    assert [metrics["own"] for metrics in curve(thrice)] == [7.0] * 3
    # The step trains nothing, so three epochs leave the weights where one left them.
    assert curve(once)[0]["val_loss"] == curve(thrice)[2]["val_loss"]


def test_own_compiled_metrics_are_measured_on_validation_too() -> None:
    result = run(model="tests.training.builders:build_compiled", values={})
    assert set(curve(result)[0]) == {"loss", "right", "val_loss", "val_right"}


def test_images_in_no_part_change_nothing() -> None:
    data = training_data(n_rest=10)
    poisoned = replace(data, inputs=data.inputs.copy(), labels=data.labels.copy())
    poisoned.inputs[64:] = 255
    # A class that does not exist: whoever reads these labels fails.
    poisoned.labels[64:] = 99
    assert curve(run(poisoned)) == curve(run(data))


def test_probabilities_of_a_sigmoid_model_have_both_classes(tmp_path: Path) -> None:
    values = {"filters": [4], "dense_units": 8, "dropout": 0.0, "learning_rate": 0.01}
    result = run(model="sigmoid_cnn", values=values, last_epoch=8, save_to=tmp_path / "end.npz")
    assert set(curve(result)[-1]) == {*MEASURED, *(f"val_{name}" for name in MEASURED)}
    model = finished_model("sigmoid_cnn", values, DATA.spec, tmp_path / "end.npz")
    found = probabilities(predict(predictor(model), DATA.inputs, VALIDATION))
    accuracy = np.mean(found.argmax(axis=1) == DATA.labels[VALIDATION])
    assert accuracy == pytest.approx(curve(result)[-1]["val_accuracy"])


def test_finished_model_has_keras_layers_only(tmp_path: Path) -> None:
    run(save_to=tmp_path / "end.npz")
    model = finished_model("cnn", SMALL_CNN, DATA.spec, tmp_path / "end.npz")
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert isinstance(model, keras.Model)


def test_what_listens_to_the_epochs_may_end_the_run() -> None:
    def listener(task: TrainTask, epoch: EpochMetrics) -> None:
        raise BrokenPipeError("nobody reads any more")

    with pytest.raises(BrokenPipeError):
        run_task(train_task(last_epoch=2), DATA, Hooks(on_epoch=listener), MODELS)


def test_full_disk_is_not_the_settings_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_room(state: Any, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("tuner.training.fit.save_checkpoint", no_room)
    with pytest.raises(OSError, match="No space left"):
        run(last_epoch=1, save_to=tmp_path / "t.npz")


def test_last_epoch_is_kept_where_the_best_is_not_asked_for(tmp_path: Path) -> None:
    rule = replace(stopping(), keeps_best=False)
    result = run(last_epoch=3, early_stopping=rule, save_to=tmp_path / "kept.npz")
    run(last_epoch=3, save_to=tmp_path / "last.npz")
    assert result.best_epoch == 3
    states = (load_checkpoint(tmp_path / f"{name}.npz").state for name in ("kept", "last"))
    for kept, last in zip(*states, strict=True):
        np.testing.assert_array_equal(kept, last)


class GoneDrive:
    """Inputs whose files can no longer be read."""

    shape, dtype = DATA.inputs.shape, DATA.inputs.dtype

    def __len__(self) -> int:
        return len(DATA.inputs)

    def __getitem__(self, index: Any) -> np.ndarray:
        if isinstance(index, slice):
            return np.zeros((1, *self.shape[1:]), dtype=np.uint8)  # what tracing takes
        raise DataError("'a.png': it can no longer be decoded", "put the file back.")


def test_images_that_are_gone_are_no_fault_of_the_setting() -> None:
    data = replace(DATA, inputs=GoneDrive())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="it can no longer be decoded"):
        run(data)
