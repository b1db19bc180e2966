"""The labels that a loss takes.

What is known of Keras' own, and what a loss of your own shows when it is tried.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from tests.soak.published import focal
from tuner.training.compiled import targets

LABELS = np.array([0, 2, 1])


def model_with(loss: Any, units: int = 3) -> keras.Model:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(units)])
    model.compile("sgd", loss)
    return model


def own_crossentropy(labels: Any, outputs: Any) -> Any:
    return -ops.sum(labels * ops.log(outputs + 1e-7), axis=-1)


def own_of_a_column(labels: Any, outputs: Any) -> Any:
    numbers = ops.cast(labels, "int32")
    assert numbers.shape[1] == 1
    return -ops.log(ops.take_along_axis(outputs, numbers, axis=1)[:, 0])


class Odd(keras.losses.Loss):
    """Takes class numbers, whatever its name says."""

    def __init__(self) -> None:
        super().__init__(name="dense_thing")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return focal(y_true, y_pred)


NUMBERS = [
    {"out": "sparse_categorical_crossentropy"},
    [keras.losses.SparseCategoricalCrossentropy(name="mine")],
    partial(keras.losses.sparse_categorical_crossentropy, from_logits=True),
    lambda labels, outputs: 2 * keras.losses.sparse_categorical_crossentropy(labels, outputs),
    focal,
    Odd(),
]
ONE_HOT = [
    {"out": "categorical_crossentropy"},
    keras.losses.CategoricalCrossentropy(name="sparse_in_name_only"),
    keras.losses.CategoricalFocalCrossentropy(),
    own_crossentropy,
    "crossentropy",
    "mse",
]


@pytest.mark.parametrize("loss", NUMBERS, ids=range(len(NUMBERS)))
def test_class_numbers(loss: Any) -> None:
    found = targets(model_with(loss), LABELS)
    np.testing.assert_array_equal(found, LABELS)
    assert found.dtype == np.int32


@pytest.mark.parametrize("loss", ONE_HOT, ids=range(len(ONE_HOT)))
def test_one_hot(loss: Any) -> None:
    np.testing.assert_array_equal(targets(model_with(loss), LABELS), np.eye(3)[LABELS])


def test_column_of_class_numbers() -> None:
    np.testing.assert_array_equal(targets(model_with(own_of_a_column), LABELS), LABELS[:, None])


FOCAL = keras.losses.BinaryFocalCrossentropy()


@pytest.mark.parametrize("loss", ["binary_crossentropy", FOCAL], ids=["name", "object"])
def test_one_unit_takes_a_column_of_0_and_1(loss: Any) -> None:
    np.testing.assert_array_equal(
        targets(model_with(loss, units=1), np.array([0, 1])), [[0.0], [1.0]]
    )


def test_loss_that_a_model_computes_itself_is_tried() -> None:
    class Computing(keras.Sequential):
        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, **others: Any
        ) -> Any:
            return ops.mean(focal(y, y_pred))

    model = Computing([keras.layers.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd")
    np.testing.assert_array_equal(targets(model, LABELS), LABELS)
