"""Models kept for the next training: nobody can tell by the results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.images import SMALL_CNN, train_task, training_data
from tuner.backend import active
from tuner.models.registry import complete
from tuner.records.training import TrainTask
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

DATA = training_data()
USUAL: dict[str, Any] = {**SMALL_CNN, "conv_dropout": 0.1, "label_smoothing": 0.05}


def curve(models: PreparedModels, task: TrainTask) -> list[dict[str, float]]:
    result = run_task(task, DATA, Hooks(on_epoch=lambda task, epoch: None), models)
    assert result.failure is None, result.failure
    return [dict(epoch.metrics) for epoch in result.epochs]


@pytest.fixture(scope="module")
def kept() -> PreparedModels:
    """Models that were trained before, with the usual setting first."""
    models = PreparedModels()
    curve(models, train_task(values=USUAL, seed=5))
    return models


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dropout": 0.4},
        {"conv_dropout": 0.3},
        {"label_smoothing": 0.1},
        {"label_smoothing": 0.0},
        {"learning_rate": 0.003},
        {"batch_size": 7},
        {"dropout": 0.0},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.5},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"filters": 6},
        {"batch_norm": False},
        {"imbalance": "class_weights"},
        {"flip": True, "shift": 0.2, "contrast": 0.3, "random_erasing": 0.5, "mixup": 0.2},
    ],
    ids=str,
)
def test_kept_model_trains_as_a_fresh_one_to_the_last_bit(
    kept: PreparedModels, changes: dict[str, Any]
) -> None:
    task = train_task(values={**USUAL, **changes}, seed=2)
    assert curve(kept, task) == curve(PreparedModels(n_kept=0), task)


OTHERS: dict[str, dict[str, Any]] = {
    "sigmoid_cnn": {"filters": [4], "dense_units": 8, "dropout": 0.2},
    "expression_cnn": {
        "filters": [4], "kernel_sizes": [3], "convs_per_block": 1, "dense_units": 8, "dropout": 0.2,
    },
}  # fmt: skip


@pytest.mark.parametrize("model", OTHERS)
def test_other_families_dropout_is_set_too(model: str) -> None:
    models, values = PreparedModels(), OTHERS[model]
    curve(models, train_task(model=model, values=values))
    task = train_task(model=model, values={**values, "dropout": 0.6}, seed=2)
    assert curve(models, task) == curve(PreparedModels(n_kept=0), task)


def n_models(models: PreparedModels, *settings: dict[str, Any]) -> int:
    """How many different models some settings are trained with."""
    return len(
        {id(models.prepare(train_task(values={**USUAL, **s}), DATA).model) for s in settings}
    )


def test_settings_that_differ_in_run_time_values_share_a_model() -> None:
    settings = [
        {},
        {"dropout": 0.4},
        {"label_smoothing": 0.2},
        {"learning_rate": 1e-4},
        {"conv_dropout": 0.3},
    ]
    assert n_models(PreparedModels(), *settings) == 1


def test_settings_that_differ_in_their_batches_share_a_model() -> None:
    settings = [{}, {"shift": 0.1}, {"flip": True}, {"mixup": 0.3}, {"imbalance": "class_weights"}]
    assert n_models(PreparedModels(), *settings, {"imbalance": "balanced_sampling"}) == 1


def test_winner_with_all_its_values_finds_the_model_of_its_trial() -> None:
    assert n_models(PreparedModels(), {}, complete("cnn", USUAL)) == 1


def test_other_architectures_and_optimizers_get_models_of_their_own() -> None:
    assert (
        n_models(PreparedModels(), {}, {"filters": 5}, {"optimizer": "sgd"}, {"dropout": 0.0}) == 4
    )


def test_each_precision_has_a_model_of_its_own() -> None:
    models = PreparedModels()
    prepared = {
        precision: models.prepare(train_task(values=USUAL, precision=precision), DATA).model
        for precision in (None, "float32", "mixed_bfloat16")
    }
    assert {
        precision: model.layers[1].dtype_policy.name for precision, model in prepared.items()
    } == {
        None: active.policy().precision,
        "float32": "float32",
        "mixed_bfloat16": "mixed_bfloat16",
    }


def test_only_the_models_used_last_are_kept() -> None:
    models = PreparedModels(n_kept=2)
    first = models.prepare(train_task(values=USUAL), DATA).model
    for filters in (5, 6):
        models.prepare(train_task(values={**USUAL, "filters": filters}), DATA)
    assert models.prepare(train_task(values=USUAL), DATA).model is not first


def test_models_with_many_parameters_are_not_kept_beside_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = PreparedModels()
    first = models.prepare(train_task(values=USUAL), DATA).model
    monkeypatch.setattr("tuner.training.prepared.MAX_PARAMETERS", first.count_params() + 10)
    models.prepare(train_task(values={**USUAL, "filters": 5}), DATA)
    assert models.prepare(train_task(values=USUAL), DATA).model is not first


def test_builder_of_a_person_is_called_for_every_training() -> None:
    models = PreparedModels()
    task = train_task(model="tests.training.builders:build_compiled", values={})
    assert models.prepare(task, DATA).model is not models.prepare(task, DATA).model


def test_prepared_weights_depend_on_the_seed_alone() -> None:
    models = PreparedModels()

    def weights(seed: int) -> list[np.ndarray]:
        return [
            np.array(w)
            for w in models.prepare(train_task(values=USUAL, seed=seed), DATA).model.get_weights()
        ]

    first, other, again = weights(1), weights(2), weights(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
