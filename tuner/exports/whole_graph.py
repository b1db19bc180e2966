"""A model with everything between decoded pixels and calibrated probabilities inside."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tuner.exports.formats import IMAGES, InputType
from tuner.records.image import ImageSpec
from tuner.training.own_builders.model_form import is_graph, one_output

# The smallest probability that calibration takes, as in `tuner.metrics.calibration`.
_TINY = 1.1754944e-38


def whole_graph(
    model: keras.Model, spec: ImageSpec, temperature: float | None, input_type: InputType
) -> keras.Model:
    """The model as it is exported; the one that is given stays as it is.

    Models of this package scale pixels themselves. What is added is the cast of the pixels, the
    calibration, and the second probability of a model with one sigmoid unit.

    Args:
        model: From `load_finished`.
        spec: Its images and classes.
        temperature: What logits are divided by; None changes nothing.
        input_type: Of the images.

    Returns:
        A model from `images` (n, height, width, channels), 0-255, to probabilities (n, classes).
    """
    images = keras.Input(spec.shape, dtype=input_type, name=IMAGES)
    pixels = images if input_type == "float32" else ops.cast(images, "float32")
    divided = temperature is not None and temperature != 1.0
    calibrated = _with_divided_logits(model, temperature) if divided and temperature else model
    outputs = one_output((calibrated or model)(pixels, training=False))
    if outputs.shape[-1] == 1:
        outputs = ops.concatenate([1.0 - outputs, outputs], axis=-1)
    if divided and calibrated is None:
        outputs = ops.softmax(ops.log(ops.maximum(outputs, _TINY)) / temperature)
    return keras.Model(images, outputs, name="exported")


def _with_divided_logits(model: keras.Model, temperature: float) -> keras.Model | None:
    """The model with its last dense layer's weights divided by the temperature.

    That calibrates without another operation: after int8, a logarithm of probabilities in 256 steps
    would be far off.

    Returns:
        None where the model does not end so.
    """
    last: Any = model.layers[-1] if is_graph(model) else None
    if type(last) is not keras.layers.Dense or len(last._inbound_nodes) != 1:
        return None
    if last.activation not in (keras.activations.softmax, keras.activations.sigmoid):
        return None
    if last.output is not model.outputs[0]:
        return None
    divided = keras.layers.Dense.from_config(last.get_config() | {"name": "calibrated"})
    outputs = divided(last.input)
    divided.set_weights([weights / temperature for weights in last.get_weights()])
    return keras.Model(model.inputs, outputs)
