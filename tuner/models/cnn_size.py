"""Parameters and multiply-adds of the CNN family, counted without building a network.

Building one takes 0.1 to 0.2 s of a core, and a constraint may refuse hundreds of drawn settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuner.records.image import ImageSpec

# Of a BatchNormalization, for each filter: scale, offset, and the moving mean and variance.
_BATCH_NORM = 4


def n_parameters(values: Mapping[str, Any], image_spec: ImageSpec) -> int:
    """Parameters of what `tuner.models.cnn.build` builds, those that are not trained included.

    Args:
        values: Every term of `tuner.space.vocabulary.CNN_TERMS`; NAME_i overrides NAME in block i.
        image_spec: Shape and classes.
    """
    total = 0
    for kernel, filters, _ in _convolutions(values, image_spec):
        total += kernel + filters * (_BATCH_NORM if values["batch_norm"] else 1)
    return total + sum(n + units for n, units in _dense_layers(values, image_spec))


def multiply_adds(values: Mapping[str, Any], image_spec: ImageSpec) -> int:
    """Multiplications with an addition that predicting one image takes.

    Args:
        values: As of `n_parameters`.
        image_spec: Likewise.
    """
    total = sum(kernel * places for kernel, _, places in _convolutions(values, image_spec))
    return total + sum(n for n, _ in _dense_layers(values, image_spec))


def _convolutions(
    values: Mapping[str, Any], image_spec: ImageSpec
) -> Iterator[tuple[int, int, int]]:
    """Weights of the kernel, filters, and places in the output of each convolution."""
    channels = image_spec.channels
    for block in range(values["conv_blocks"]):
        filters = values.get(f"filters_{block}", values["filters"])
        side = values.get(f"kernel_size_{block}", values["kernel_size"])
        for _ in range(values["convs_per_block"]):
            yield channels * filters * side * side, filters, _places(image_spec, block)
            channels = filters


def _dense_layers(values: Mapping[str, Any], image_spec: ImageSpec) -> Iterator[tuple[int, int]]:
    """Weights of the kernel and units of each dense layer."""
    n_blocks = values["conv_blocks"]
    n_inputs = values.get(f"filters_{n_blocks - 1}", values["filters"])
    if values["pooling"] == "flatten":
        n_inputs *= _places(image_spec, n_blocks)
    for units in (values["dense_units"], image_spec.n_classes):
        if units:
            yield n_inputs * units, units
            n_inputs = units


def _places(image_spec: ImageSpec, n_poolings: int) -> int:
    """Each pooling by 2 rounds down."""
    return (image_spec.height >> n_poolings) * (image_spec.width >> n_poolings)
