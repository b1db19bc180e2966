"""Scaling of the pixels as layers of the model, so that a saved model takes images as they are."""

from __future__ import annotations

import keras
from keras import layers

from tuner.records.image import ImageSpec
from tuner.space.vocabulary import Normalization


def normalization_layers(kind: Normalization, image_spec: ImageSpec) -> list[keras.layers.Layer]:
    """Plain Keras layers that scale pixels of 0-255.

    Args:
        kind: `rescale` to 0-1; `standardize` by the training part's mean and deviation per channel;
            `per_image` by each image's own mean and deviation.
        image_spec: Gives the statistics.
    """
    if kind == "standardize":
        # A constant channel has no deviation to divide by.
        variance = [max(s, 1e-3) ** 2 for s in image_spec.std]
        return [layers.Normalization(mean=list(image_spec.mean), variance=variance)]
    rescale = layers.Rescaling(1 / 255)
    if kind == "per_image":
        return [
            rescale,
            layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, epsilon=1e-5),
        ]
    return [rescale]
