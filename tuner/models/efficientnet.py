"""EfficientNetB2 (Tan and Le, ICML 2019) from keras.applications, as the third model of the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from tuner.backend.active import Dropout
from tuner.records.image import ImageSpec

# Features of the pooled last map.
N_FEATURES = 1408


class NoPretrainedWeightsError(Exception):
    """The ImageNet weights are neither in Keras' cache nor to be downloaded."""


def build(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Build the network with random weights, to be trained from scratch.

    Args:
        values: `input_size`, pixels; `dropout` before the output layer.
        image_spec: Shape and classes.

    Returns:
        A model from (n, height, width, channels), 0-255, to softmax probabilities (n, classes); not compiled.
    """
    inputs, images = _rgb_inputs(values, image_spec)
    outputs = _head(_network(None, values)(images), values, image_spec)
    return keras.Model(inputs, outputs)


def build_extractor(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Build the frozen network with ImageNet weights, from (n, height, width, channels), 0-255, to features (n, 1408).

    Raises:
        NoPretrainedWeightsError: If Keras can neither find nor download the weights.
    """
    inputs, images = _rgb_inputs(values, image_spec)
    # Keras draws the progress of a download on stdout, where results belong; `clear_session` forgets this setting.
    keras.config.disable_interactive_logging()
    try:
        network = _network("imagenet", values)
    # Keras wraps every failure of a download in a plain Exception (keras/src/utils/file_utils.py).
    except Exception as error:
        raise NoPretrainedWeightsError(str(error)) from error
    network.trainable = False
    return keras.Model(inputs, network(images, training=False))


def build_head(values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Build the head alone, from features (n, 1408) to softmax probabilities (n, classes); not compiled."""
    inputs = layers.Input((N_FEATURES,))
    return keras.Model(inputs, _head(inputs, values, image_spec))


def join(extractor: keras.Model, head: keras.Model) -> keras.Model:
    """One model of an extractor and the head that was trained on its features."""
    return keras.Model(extractor.input, head(extractor.output))


def _network(weights: str | None, values: Mapping[str, Any]) -> keras.Model:
    size = values["input_size"]
    return keras.applications.EfficientNetB2(
        include_top=False, weights=weights, input_shape=(size, size, 3), pooling="avg"
    )


def _rgb_inputs(values: Mapping[str, Any], image_spec: ImageSpec) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Inputs, and the same as RGB of `input_size`; no rescaling, since EfficientNet has its own inside."""
    inputs = layers.Input(image_spec.shape)
    images = layers.Concatenate()([inputs] * 3) if image_spec.channels == 1 else inputs
    size = values["input_size"]
    if (image_spec.height, image_spec.width) != (size, size):
        images = layers.Resizing(size, size)(images)
    return inputs, images


def _head(features: keras.KerasTensor, values: Mapping[str, Any], image_spec: ImageSpec) -> keras.KerasTensor:
    if values["dropout"]:
        features = Dropout(values["dropout"])(features)
    return layers.Dense(image_spec.n_classes, activation="softmax")(features)
