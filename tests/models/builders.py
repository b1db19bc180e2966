"""Builders as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import keras_tuner

from tuner.records.image import ImageSpec


def build_own(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    return keras.Sequential(
        [
            keras.layers.Input(image_spec.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(values["units"], activation="relu"),
            keras.layers.Dense(image_spec.n_classes, activation="softmax"),
        ]
    )


def build_from_hp(hp: keras_tuner.HyperParameters) -> keras.Model:
    model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()])
    for i in range(hp.Int("layers", 1, 3)):
        model.add(keras.layers.Dense(hp.Choice(f"units_{i}", [4, 8, 16]), activation="relu"))
    model.add(keras.layers.Dense(2, activation=hp.Fixed("last", "softmax")))
    model.compile(
        keras.optimizers.SGD(hp.Float("rate", 1e-4, 1e-1, sampling="log")),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(1, name="top_1")],
    )
    return model


def build_nothing(values: Mapping[str, Any], image_spec: ImageSpec) -> None:
    return None
