"""The CNN family: blocks of Conv-BN-ReLU that end in a pooling, then a dense head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from tuner.backend.active import backend
from tuner.models.preprocessing import normalization_layers
from tuner.records.image import ImageSpec

# Keras' 0.99 leaves the moving statistics of small data sets far behind: half of the validation
# images were misread while training accuracy stood at 99.7 %.
BATCH_NORM_MOMENTUM = 0.9


def build(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Build a CNN of the family.

    Args:
        values: Every term of `tuner.space.vocabulary.CNN_TERMS`; NAME_i overrides NAME in block i.
        image_spec: Shape, classes and pixel statistics.

    Returns:
        A model from (n, height, width, channels), 0-255, to softmax probabilities (n, classes); not
            compiled.
    """
    stack: list[keras.layers.Layer] = [layers.Input(image_spec.shape)]
    stack += normalization_layers(values["normalization"], image_spec)
    for block in range(values["conv_blocks"]):
        stack += _block(values, block)
    stack.append(
        layers.Flatten() if values["pooling"] == "flatten" else layers.GlobalAveragePooling2D()
    )
    # Of the dense layer's inputs, which are most of the network's weights: on 1,000 faces that
    # gained three points of validation accuracy over its outputs (docs/adr/0009-head-dropout.md).
    if values["dropout"]:
        stack.append(backend.Dropout(values["dropout"]))
    if values["dense_units"]:
        stack.append(layers.Dense(values["dense_units"], activation="relu"))
    stack.append(layers.Dense(image_spec.n_classes, activation="softmax", dtype="float32"))
    return keras.Sequential(stack)


def _block(values: Mapping[str, Any], block: int) -> list[keras.layers.Layer]:
    def value(name: str) -> Any:
        return values.get(f"{name}_{block}", values[name])

    stack: list[keras.layers.Layer] = []
    n_convs = values["convs_per_block"]
    for conv in range(n_convs):
        # BatchNormalization has an offset of its own, so the convolution before it needs none.
        stack.append(
            layers.Conv2D(
                value("filters"),
                value("kernel_size"),
                padding="same",
                use_bias=not values["batch_norm"],
            )
        )
        if values["batch_norm"]:
            stack.append(backend.BatchNormalization(momentum=BATCH_NORM_MOMENTUM))
        if conv == n_convs - 1:
            # The largest of four, then ReLU, equals ReLU, then the largest of four, for a quarter
            # of the work.
            stack.append(layers.MaxPooling2D(2))
        stack.append(layers.ReLU())
    if value("conv_dropout"):
        stack.append(backend.Dropout(value("conv_dropout")))
    return stack
