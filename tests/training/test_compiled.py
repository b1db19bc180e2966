"""Optimizers, losses, and labels in the form that a loss takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import SMALL_CNN, image_spec
from tuner.errors import ConfigurationError
from tuner.space.vocabulary import TRAINING_TERMS, with_defaults
from tuner.training.compiled import compiled_model, optimizer, probabilities, targets

LABELS = np.array([0, 2, 1])


def one_layer(units: int, loss: Any) -> keras.Model:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(units)])
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("sgd", keras.optimizers.SGD),
        ("rmsprop", keras.optimizers.RMSprop),
    ],
)
def test_optimizer_has_the_settings_numbers(
    name: str, kind: type[keras.optimizers.Optimizer]
) -> None:
    values = {"optimizer": name, "learning_rate": 0.02, "weight_decay": 0.1, "momentum": 0.7}
    whole = with_defaults(TRAINING_TERMS, values)
    assert type(optimizer(whole, is_plain=True)) is kind
    made = optimizer(whole)
    assert isinstance(made, kind)
    assert float(made.learning_rate) == pytest.approx(0.02)
    assert made.weight_decay == pytest.approx(0.1)


def test_sgd_has_nesterov_momentum() -> None:
    made = optimizer(with_defaults(TRAINING_TERMS, {"optimizer": "sgd", "momentum": 0.7}))
    assert made.momentum == pytest.approx(0.7)
    assert made.nesterov


SIGMOID = {"filters": [4], "dense_units": 4, "dropout": 0.0}


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_softmax_model_is_compiled_with_smoothed_categorical_crossentropy(smoothing: float) -> None:
    model = compiled_model("cnn", {**SMALL_CNN, "label_smoothing": smoothing}, image_spec(3))
    wanted = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    labels, outputs = (
        np.eye(3, dtype="float32"),
        np.full((3, 3), 0.2, dtype="float32") + np.eye(3) * 0.4,
    )
    assert float(model.loss(labels, outputs)) == pytest.approx(
        float(wanted(labels, outputs)), rel=1e-6
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_model_with_one_unit_is_compiled_with_binary_crossentropy(smoothing: float) -> None:
    model = compiled_model("sigmoid_cnn", {**SIGMOID, "label_smoothing": smoothing}, image_spec())
    wanted = keras.losses.BinaryCrossentropy(label_smoothing=smoothing)
    labels, outputs = (
        np.array([[0.0], [1.0]], dtype="float32"),
        np.array([[0.2], [0.7]], dtype="float32"),
    )
    assert float(model.loss(labels, outputs)) == pytest.approx(
        float(wanted(labels, outputs)), rel=1e-6
    )


def test_plain_model_has_layers_and_loss_of_keras_only() -> None:
    model = compiled_model(
        "cnn", {**SMALL_CNN, "label_smoothing": 0.1}, image_spec(3), is_plain=True
    )
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert isinstance(model.loss, keras.losses.CategoricalCrossentropy)
    assert model.loss.label_smoothing == 0.1


def test_targets_of_a_softmax_model_are_one_hot() -> None:
    found = targets(one_layer(3, "categorical_crossentropy"), LABELS)
    np.testing.assert_array_equal(found, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert found.dtype == np.float32


def test_targets_of_a_model_with_one_unit_are_a_column() -> None:
    found = targets(one_layer(1, "binary_crossentropy"), np.array([0, 1]))
    np.testing.assert_array_equal(found, [[0.0], [1.0]])
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.sparse_categorical_crossentropy,
    ],
    ids=["name", "object", "function"],
)
def test_targets_of_a_sparse_loss_are_class_numbers(loss: Any) -> None:
    found = targets(one_layer(3, loss), LABELS)
    np.testing.assert_array_equal(found, LABELS)
    assert found.dtype == np.int32


def test_probabilities_of_softmax_outputs_are_the_outputs() -> None:
    outputs = np.array([[0.25, 0.75], [0.5, 0.5]], dtype="float32")
    np.testing.assert_array_equal(probabilities(outputs), outputs)


def test_probabilities_of_sigmoid_outputs_are_of_class_0_and_1() -> None:
    np.testing.assert_allclose(probabilities(np.array([[0.25], [1.0]])), [[0.75, 0.25], [0.0, 1.0]])


@pytest.mark.parametrize(("units", "n_classes"), [(10, 7), (1, 3), (2, 3)])
def test_outputs_that_do_not_fit_the_classes_are_refused(
    monkeypatch: pytest.MonkeyPatch, units: int, n_classes: int
) -> None:
    monkeypatch.setattr("tuner.training.compiled.build", lambda *_: one_layer(units, "mse"))
    spec = replace(image_spec(), class_names=tuple(map(str, range(n_classes))))
    with pytest.raises(
        ConfigurationError, match=f"outputs {units} values, but there are {n_classes} classes"
    ):
        compiled_model("own:build", {}, spec)
