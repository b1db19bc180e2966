"""Parameters of the CNN family, counted without building a network.

Building one takes 0.1 to 0.2 s of a core, and a constraint may refuse hundreds of drawn settings.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    n_blocks = values["conv_blocks"]
    total, channels = 0, image_spec.channels
    for block in range(n_blocks):
        filters = values.get(f"filters_{block}", values["filters"])
        side = values.get(f"kernel_size_{block}", values["kernel_size"])
        for _ in range(values["convs_per_block"]):
            total += channels * filters * side * side
            total += filters * (_BATCH_NORM if values["batch_norm"] else 1)
            channels = filters
    n_inputs = channels
    if values["pooling"] == "flatten":
        # Each pooling by 2 rounds down.
        n_inputs *= (image_spec.height >> n_blocks) * (image_spec.width >> n_blocks)
    if units := values["dense_units"]:
        total += _dense(n_inputs, units)
        n_inputs = units
    return total + _dense(n_inputs, image_spec.n_classes)


def _dense(n_inputs: int, n_outputs: int) -> int:
    return (n_inputs + 1) * n_outputs
