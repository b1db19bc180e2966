"""Saved models: Keras' own layers only, the same predictions to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.backend.plain_keras import Predict
from tests.images import SMALL_CNN, banded_images, image_spec
from tuner.backend.active import backend, plain_copy
from tuner.models.registry import build
from tuner.training.compiled import compiled_model, targets

SPEC = image_spec()


def trained() -> keras.Model:
    """A CNN with two steps of training, so that moving statistics are not those of the start."""
    keras.utils.set_random_seed(0)
    model = compiled_model("cnn", SMALL_CNN, SPEC)
    images, labels = banded_images(20, SPEC)
    functions = backend.steps(model, (images[:1], targets(model, labels[:1])))
    for _ in range(2):
        functions.train(images, targets(model, labels))
    uncompiled = build("cnn", SMALL_CNN, SPEC)
    uncompiled.set_weights(model.get_weights())
    return uncompiled


def test_copy_has_keras_layers_only_and_the_same_predictions() -> None:
    model = trained()
    assert any(type(layer) is backend.BatchNormalization for layer in model.layers)
    copy = plain_copy(model)
    assert all(type(layer).__module__.startswith("keras.") for layer in copy.layers)
    images = banded_images(20, SPEC, seed=1)[0].astype("float32")
    difference = np.asarray(model(images, training=False)) - np.asarray(
        copy(images, training=False)
    )
    assert np.abs(difference).max() == 0.0


def test_model_without_a_layer_of_ours_is_returned_as_it_is() -> None:
    model = build("cnn", {**SMALL_CNN, "batch_norm": False, "dropout": 0.0}, SPEC)
    assert plain_copy(model) is model


def test_model_of_keras_own_layers_is_returned_whatever_is_inside_it() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.Sequential(
                [keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
            )

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.inner(inputs, training=training)

    model = Own()
    model(np.zeros((1, 4), dtype="float32"))
    assert plain_copy(model) is model


@pytest.mark.slow
def test_saved_copy_loads_where_tuner_is_not_imported(tmp_path: Path, elsewhere: Predict) -> None:
    model = trained()
    plain_copy(model).save(tmp_path / "model.keras")
    images = banded_images(6, SPEC, seed=1)[0].astype("float32")
    np.testing.assert_allclose(
        elsewhere(tmp_path, images), np.asarray(model(images, training=False)), atol=1e-6
    )
