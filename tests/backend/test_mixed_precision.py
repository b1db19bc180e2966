"""Trainings in mixed precision, as on a GPU, here slowly on a CPU.

What is saved is a float32 network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.backend.plain_keras import Predict
from tests.images import SMALL_CNN, stopping, train_task, training_data
from tuner.backend import active
from tuner.backend.policy import Gpu
from tuner.metrics.classification import score
from tuner.records.training import TrainResult, TrainTask
from tuner.training.checkpoint import load_checkpoint
from tuner.training.compiled import compiled_model
from tuner.training.finished import finished_model, save_model
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

DATA = training_data()
CAPABILITIES = {"mixed_float16": (7, 5), "mixed_bfloat16": (8, 0)}


@pytest.fixture(params=CAPABILITIES)
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A process that believes to see a GPU.

    Without XLA, which would compile for the CPU for long.
    """
    gpu = Gpu(name="made up", capability=CAPABILITIES[request.param])
    monkeypatch.setattr(active.backend, "gpus", lambda: [gpu])
    monkeypatch.delenv("TUNER_ACCELERATION", raising=False)
    active.policy.cache_clear()
    assert active.policy().uses_xla
    monkeypatch.setattr(active, "uses_xla", lambda: keras.backend.backend() == "jax")
    yield request.param
    active.policy.cache_clear()


def trained(task: TrainTask, models: PreparedModels | None = None) -> TrainResult:
    result = run_task(
        task, DATA, Hooks(on_epoch=lambda task, epoch: None), models or PreparedModels()
    )
    assert result.failure is None, result.failure
    return result


def curve(result: TrainResult) -> list[dict[str, float]]:
    return [dict(epoch.metrics) for epoch in result.epochs]


def test_layers_compute_in_16_bits_and_outputs_and_variables_are_float32(precision: str) -> None:
    model = compiled_model("cnn", SMALL_CNN, DATA.spec)
    *inner, last = model.layers
    assert {layer.dtype_policy.name for layer in inner} == {precision}
    assert last.compute_dtype == "float32"
    assert {keras.backend.standardize_dtype(v.dtype) for v in model.trainable_variables} == {
        "float32"
    }
    assert keras.config.dtype_policy().name == "float32"


def test_loss_is_scaled_for_float16_only(precision: str) -> None:
    model = compiled_model("cnn", SMALL_CNN, DATA.spec)
    is_scaled = isinstance(model.optimizer, keras.mixed_precision.LossScaleOptimizer)
    assert is_scaled == (precision == "mixed_float16")


@pytest.mark.parametrize("model", ["sigmoid_cnn", "expression_cnn"])
def test_probabilities_of_the_baselines_are_float32(precision: str, model: str) -> None:
    filters = {
        "filters": [4],
        "kernel_sizes": [3],
        "convs_per_block": 1,
        "dense_units": 8,
        "dropout": 0.2,
    }
    built = compiled_model(model, filters, DATA.spec)
    assert built.layers[0].dtype_policy.name == precision
    assert built.layers[-1].compute_dtype == "float32"


@pytest.mark.usefixtures("precision")
def test_model_of_a_persons_own_and_one_for_a_persons_script_keep_their_precision() -> None:
    own = compiled_model("tests.training.builders:build_compiled", {}, DATA.spec)
    plain = compiled_model("cnn", SMALL_CNN, DATA.spec, is_plain=True)
    assert {layer.compute_dtype for model in (own, plain) for layer in model.layers} == {"float32"}


def test_network_learns_and_a_kept_one_still_computes_so(precision: str) -> None:
    models = PreparedModels()
    for seed in (1, 2):
        result = trained(train_task(last_epoch=12, seed=seed), models)
        assert result.epochs[-1].metrics["val_accuracy"] >= 0.9
    kept = models.prepare(train_task(), DATA).model
    assert kept.layers[1].dtype_policy.name == precision


@pytest.mark.slow
@pytest.mark.usefixtures("precision")
def test_training_goes_on_from_its_parents_checkpoint_to_the_last_bit(tmp_path: Path) -> None:
    whole = trained(train_task(last_epoch=4))
    trained(train_task(last_epoch=2, save_to=tmp_path / "2.npz"))
    rest = trained(train_task(first_epoch=3, last_epoch=4, resume_from=tmp_path / "2.npz"))
    assert curve(rest) == curve(whole)[2:]


def test_precision_that_a_persons_builder_sets_is_that_of_its_own_model_alone(
    tmp_path: Path,
) -> None:
    own = "tests.training.builders:build_in_16_bits"
    try:
        for model, values, wanted in ((own, {}, "mixed_bfloat16"), ("cnn", SMALL_CNN, "float32")):
            trained(train_task(model=model, values=values, save_to=tmp_path / f"{wanted}.npz"))
            finished = finished_model(model, values, DATA.spec, tmp_path / f"{wanted}.npz")
            assert finished.layers[-2].dtype_policy.name == wanted
        keras.config.set_dtype_policy("float32")
        finished_model(own, {}, DATA.spec, tmp_path / "mixed_bfloat16.npz")
        assert keras.config.dtype_policy().name == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.slow
@pytest.mark.usefixtures("precision")
def test_model_that_is_saved_is_float32_and_predicts_alike_without_this_package(
    tmp_path: Path, elsewhere: Predict
) -> None:
    task = train_task(last_epoch=6, save_to=tmp_path / "end.npz", early_stopping=stopping())
    result = trained(task)
    assert {
        a.dtype for a in load_checkpoint(tmp_path / "end.npz").weights if a.dtype.kind == "f"
    } == {np.dtype("f4")}
    model = finished_model("cnn", SMALL_CNN, DATA.spec, tmp_path / "end.npz")
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    save_model(model, tmp_path / "model.keras", DATA.spec)
    rows = DATA.folds[0].validation
    found = elsewhere(tmp_path, DATA.inputs[rows].astype("float32"))
    assert found.dtype == np.float32
    scores = score(DATA.labels[rows], found, DATA.spec.class_names)
    best = next(epoch for epoch in result.epochs if epoch.epoch == result.best_epoch)
    assert scores.accuracy == pytest.approx(best.metrics["val_accuracy"], abs=1 / len(rows))
    assert scores.macro_f1 == pytest.approx(best.metrics["val_macro_f1"], abs=0.1)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active.backend, "gpus", lambda: [Gpu(name="made up", capability=(8, 0))])
    monkeypatch.setenv("TUNER_ACCELERATION", "off")
    active.policy.cache_clear()
    try:
        assert str(active.policy()) == "none"
        assert {
            layer.compute_dtype for layer in compiled_model("cnn", SMALL_CNN, DATA.spec).layers
        } == {"float32"}
    finally:
        active.policy.cache_clear()
