"""The networks that the original projects published, layer by layer.

The cards say where each value comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from tuner.backend.active import backend
from tuner.records.image import ImageSpec


def build_expression_cnn(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """The network of fer2013 and facial_expressions.

    Its blocks are pairs of convolutions, then BN, pooling and ReLU.

    Args:
        values: `filters` and `kernel_sizes`, a list with one number per block; `convs_per_block`,
            `dense_units`, `dropout`.
        image_spec: Shape and classes.

    Returns:
        A model from (n, height, width, channels), 0-255, to softmax probabilities (n, classes); not
            compiled.
    """
    stack: list[keras.layers.Layer] = [layers.Input(image_spec.shape), layers.Rescaling(1 / 255)]
    for filters, kernel_size in zip(values["filters"], values["kernel_sizes"], strict=True):
        stack += [
            layers.Conv2D(filters, kernel_size, padding="valid")
            for _ in range(values["convs_per_block"])
        ]
        stack += [backend.BatchNormalization(), layers.MaxPooling2D(2), layers.ReLU()]
    stack += [
        layers.Flatten(),
        layers.Dense(values["dense_units"]),
        backend.BatchNormalization(),
        layers.ReLU(),
    ]
    if values["dropout"]:
        stack.append(backend.Dropout(values["dropout"]))
    stack.append(layers.Dense(image_spec.n_classes, activation="softmax", dtype="float32"))
    return keras.Sequential(stack)


def build_sigmoid_cnn(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """The network of emoji_happy_sad, happy_sad and cats_dogs.

    It has 3x3 convolutions, a dense layer and one sigmoid unit.

    Args:
        values: `filters`, a list with one number per convolution; `dense_units`; `dropout`, 0 for
            none.
        image_spec: Shape; two classes.

    Returns:
        A model from (n, height, width, channels), 0-255, to the probability of class 1, (n, 1); not
            compiled.
    """
    stack: list[keras.layers.Layer] = [layers.Input(image_spec.shape), layers.Rescaling(1 / 255)]
    for filters in values["filters"]:
        stack += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D(2)]
    stack += [layers.Flatten(), layers.Dense(values["dense_units"], activation="relu")]
    if values["dropout"]:
        stack.append(backend.Dropout(values["dropout"]))
    stack.append(layers.Dense(1, activation="sigmoid", dtype="float32"))
    return keras.Sequential(stack)
