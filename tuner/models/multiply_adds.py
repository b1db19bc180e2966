"""What a network computes for one image, counted from its layers."""

from __future__ import annotations

import math

import keras

# Layers whose kernel is applied at each place of their output.
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def counted(model: keras.Model) -> int | None:
    """As `multiply_adds`; None for a model of your own whose layers cannot be counted."""
    try:
        return multiply_adds(model)
    # Layers of your own may fail in any way; `Layer.output` of one called twice does.
    except Exception:
        return None


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with an addition that predicting one image takes.

    Those of convolutions and dense layers, which are nearly all; layers of other kinds count
    nothing.

    Args:
        model: A built network.
    """
    return sum(map(_of_layer, model._flatten_layers(include_self=False)))


def _of_layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if not isinstance(layer, _CONVOLUTIONS):
        return 0
    _, height, width, _ = layer.output.shape
    return math.prod(layer.kernel.shape) * height * width
