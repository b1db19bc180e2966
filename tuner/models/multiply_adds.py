"""What a network computes for one image, counted from its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

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

    Those of convolutions, dense layers and attention (`Conv2D`, `DepthwiseConv2D`, `Dense`,
    `EinsumDense` and `MultiHeadAttention`), which are nearly all; layers of other kinds count
    nothing. A dense layer counts for each position of its input, such as each token.

    Args:
        model: A built network.
    """
    layers = model._flatten_layers(include_self=False)
    attentions = [one for one in layers if isinstance(one, keras.layers.MultiHeadAttention)]
    counted_there = {id(inner) for one in attentions for inner in _projections(one)}
    return sum(_of_layer(layer) for layer in layers if id(layer) not in counted_there)


def _of_layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.layers.Dense):
        return math.prod(_input_shape(layer)[1:]) * int(layer.kernel.shape[-1])
    if isinstance(layer, keras.layers.EinsumDense):
        return _of_einsum(layer)
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return _of_attention(layer)
    if not isinstance(layer, _CONVOLUTIONS):
        return 0
    _, height, width, _ = layer.output.shape
    return math.prod(layer.kernel.shape) * height * width


def _input_shape(layer: keras.layers.Layer) -> Sequence[int]:
    """(n, ..., width), that it was built for: within another layer, there is no `Layer.input`."""
    shape: Sequence[int] = layer.get_build_config()["input_shape"]
    return shape


def _of_einsum(layer: keras.layers.EinsumDense) -> int:
    """Each number of the input meets all weights that differ in the axes of the kernel alone."""
    inputs, kernel = layer.equation.partition("->")[0].split(",")
    sizes = zip(kernel, layer.kernel.shape, strict=True)
    own = math.prod(n for axis, n in sizes if axis not in inputs)
    return math.prod(_input_shape(layer)[1:]) * own


def _projections(layer: keras.layers.MultiHeadAttention) -> list[keras.layers.EinsumDense]:
    inner = layer._flatten_layers(include_self=False)
    return [one for one in inner if isinstance(one, keras.layers.EinsumDense)]


def _of_attention(layer: keras.layers.MultiHeadAttention) -> int:
    """Its projections, queries with keys, and values with what these products weigh them by."""
    shapes = layer.get_build_config()["shapes_dict"]
    n_queries, n_keys = (math.prod(shapes[f"{of}_shape"][1:-1]) for of in ("query", "value"))
    of_keys = (layer.key_dense, layer.value_dense)
    projecting = sum(
        (n_keys if one in of_keys else n_queries) * math.prod(one.kernel.shape)
        for one in _projections(layer)
    )
    n_attended = math.prod(shapes["value_shape"][axis] for axis in layer.attention_axes)
    width = int(layer.num_heads * (layer.key_dim + layer.value_dim))
    return projecting + n_queries * n_attended * width
