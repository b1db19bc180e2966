"""Which images an epoch trains, in which order, and how much each counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.images import SMALL_CNN, train_task, training_data
from tuner.records.training import TrainTask
from tuner.training.batches import (
    balanced_order,
    class_weights,
    training_batches,
    validation_batches,
)
from tuner.training.data import TrainingData
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels
from tuner.training.transfer.features import Features

DATA = training_data()
MODELS = PreparedModels()
AUGMENTED: dict[str, Any] = {
    **SMALL_CNN, "flip": True, "shift": 0.1, "zoom": 0.2, "rotation": 10.0, "contrast": 0.3,
    "random_erasing": 0.5, "mixup": 0.2,
}  # fmt: skip


def unbalanced() -> TrainingData:
    """48 training images, 40 of them of class 0."""
    data = training_data(n_train=96)
    rows = np.concatenate(
        [np.flatnonzero(data.labels[:96] == number)[:n] for number, n in enumerate((40, 8))]
    )
    return replace(data, folds=(replace(data.folds[0], train=rows),))


def batches(
    task: TrainTask, data: TrainingData = DATA, fold: int = 0, epoch: int = 1
) -> list[tuple[np.ndarray, ...]]:
    found = training_batches(MODELS.prepare(task, data), task, data, fold, epoch)
    return [tuple(np.asarray(part) for part in batch) for batch in found]


def same(one: list[tuple[np.ndarray, ...]], other: list[tuple[np.ndarray, ...]]) -> bool:
    return all(
        np.array_equal(a, b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_each_training_image_comes_once_with_its_target_and_weight_one() -> None:
    found = batches(train_task())
    assert [len(images) for images, _, _ in found] == [20, 20, 8]
    images, targets, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    rows = [int(np.flatnonzero((DATA.inputs == image).all(axis=(1, 2, 3)))[0]) for image in images]
    assert sorted(rows) == list(range(48))
    np.testing.assert_array_equal(targets.argmax(axis=1), DATA.labels[rows])
    assert (weights == 1).all()


@pytest.mark.parametrize("values", [SMALL_CNN, AUGMENTED], ids=["plain", "augmented"])
def test_batches_follow_from_seed_epoch_and_fold_alone(values: dict[str, Any]) -> None:
    data = replace(DATA, folds=DATA.folds * 2)
    task = train_task(values=values)
    first = batches(task, data)
    assert same(first, batches(task, data))
    for other in (
        batches(replace(task, seed=2), data),
        batches(task, data, fold=1),
        batches(task, data, epoch=2),
    ):
        assert not same(first, other)


def test_each_batch_of_an_epoch_is_changed_in_its_own_way() -> None:
    data = replace(DATA, inputs=np.repeat(DATA.inputs[:1], len(DATA.inputs), axis=0))
    values = {**SMALL_CNN, "shift": 0.3}
    one, other, _ = (images for images, _, _ in batches(train_task(values=values), data))
    assert not np.array_equal(one, other)


def test_validation_images_stay_as_they_are_in_their_order() -> None:
    model, rows = MODELS.prepare(train_task(values=AUGMENTED), DATA).model, DATA.folds[0].validation
    found = list(validation_batches(model, DATA, rows, 7))
    assert [len(images) for images, _ in found] == [7, 7, 2]
    np.testing.assert_array_equal(
        np.concatenate([images for images, _ in found]), DATA.inputs[rows]
    )
    np.testing.assert_array_equal(
        np.concatenate([t for _, t in found]).argmax(axis=1), DATA.labels[rows]
    )


def test_features_in_the_place_of_images_are_never_changed() -> None:
    features = np.random.default_rng(0).normal(size=(64, 1408)).astype("float32")
    data, values = replace(DATA, inputs=Features(views=(features,))), {**AUGMENTED, "dropout": 0.2}
    task = train_task(model="efficientnet_b2/head", values=values)
    found = np.concatenate([images for images, _, _ in batches(task, data)])
    assert sorted(found[:, 0]) == sorted(features[:48, 0])


def test_class_weights_are_inverse_to_the_counts_with_mean_one_over_the_images() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [3] * 3)
    weights = class_weights(labels, 4)
    np.testing.assert_allclose(weights[[0, 1, 3]], [12 / 18, 12 / 9, 12 / 9])
    assert weights[labels].mean() == pytest.approx(1.0)
    assert weights.dtype == np.float32


def test_class_weights_reach_the_step_and_come_from_the_folds_own_training_images() -> None:
    data = unbalanced()
    found = batches(train_task(values={**SMALL_CNN, "imbalance": "class_weights"}), data)
    targets, weights = (np.concatenate([batch[i] for batch in found]) for i in (1, 2))
    np.testing.assert_allclose(weights, np.where(targets[:, 0] == 1, 48 / (2 * 40), 48 / (2 * 8)))


def test_balanced_sampling_shows_each_class_equally_often_in_as_many_steps() -> None:
    data = unbalanced()
    found = batches(train_task(values={**SMALL_CNN, "imbalance": "balanced_sampling"}), data)
    assert [len(images) for images, _, _ in found] == [20, 20, 8]
    assert np.concatenate([targets for _, targets, _ in found]).sum(axis=0).tolist() == [24, 24]


def test_balanced_order_leaves_out_of_large_classes_and_repeats_small_ones_evenly() -> None:
    labels = np.array([9, 9, *[0] * 40, *[1] * 3, *[4] * 7])
    order = balanced_order(np.arange(2, 52), labels, np.random.default_rng(0))
    assert len(order) == 50
    counts = np.bincount(labels[order])
    assert sorted(counts[[0, 1, 4]]) == [16, 17, 17]
    times = np.bincount(order, minlength=52)
    assert times[:2].sum() == 0
    assert set(times[2:42]) == {0, 1}
    assert set(times[42:45]) <= {5, 6}
    assert set(times[45:]) <= {2, 3}
    assert len(np.unique(labels[order[:10]])) > 1


def curve(task: TrainTask, data: TrainingData, models: PreparedModels) -> list[dict[str, float]]:
    result = run_task(task, data, Hooks(on_epoch=lambda task, epoch: None), models)
    assert result.failure is None, result.failure
    return [dict(epoch.metrics) for epoch in result.epochs]


def test_weights_change_the_training_loss_and_no_other_measure_of_it() -> None:
    values = {**SMALL_CNN, "learning_rate": 1e-8, "dropout": 0.0, "batch_norm": False}
    data = unbalanced()
    plain, weighted = (
        curve(train_task(values={**values, "imbalance": choice}, last_epoch=1), data, MODELS)[0]
        for choice in ("none", "class_weights")
    )
    assert weighted["loss"] != pytest.approx(plain["loss"], rel=1e-3)
    for name in ("accuracy", "val_loss", "val_accuracy", "val_macro_f1"):
        assert weighted[name] == pytest.approx(plain[name], abs=1e-4)


def test_own_builder_takes_part_in_everything_but_mixup_of_a_sparse_loss() -> None:
    task = train_task(
        model="tests.training.builders:build_compiled",
        values={"imbalance": "class_weights", "shift": 0.2},
    )
    assert len(curve(task, DATA, MODELS)) == 2
    result = run_task(
        replace(task, values={"mixup": 0.2}), DATA, Hooks(on_epoch=lambda task, epoch: None), MODELS
    )
    assert result.failure is not None
    assert result.failure.reason.startswith(
        "mixup mixes targets, but the model was compiled with a sparse loss"
    )


@pytest.mark.parametrize("imbalance", ["none", "balanced_sampling"])
def test_own_training_step_gets_no_weights_that_nobody_asked_for(imbalance: str) -> None:
    task = train_task(
        model="tests.training.builders:build_own_step", values={"imbalance": imbalance}
    )
    assert curve(task, DATA, MODELS)[0]["own"] == 7.0
