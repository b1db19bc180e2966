"""Class probabilities from what a model of your own puts out.

Logits get the softmax or sigmoid of its loss.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from keras.src.models import Functional

from tuner.errors import ConfigurationError
from tuner.records.image import ImageSpec
from tuner.training.own_builders.label_form import (
    Form,
    Loss,
    form_of,
    function_of,
    in_form,
    loss_functions,
    loss_value,
)
from tuner.training.own_builders.model_form import is_graph, one_output

# A probability in 16 bits may miss 1 by so much.
_TOLERANCE = 0.02

_PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid")


def with_probabilities(model: keras.Model, name: str, spec: ImageSpec, units: int) -> keras.Model:
    """The model as it predicts: of one tensor, which holds class probabilities.

    Where the loss says `from_logits`, softmax (sigmoid for one unit) is put on top, in plain Keras.
    What trains is the model itself, whose loss must get the logits.

    Args:
        model: Built, and compiled by its builder or not.
        name: What messages call it.
        spec: Shape and classes.
        units: From `fit_to`.

    Raises:
        ConfigurationError: If it puts out anything but probabilities or logits of such a loss.
    """
    outputs = _outputs(model, name, spec)
    activation = _last_activation(model)
    if reads_logits(model, units) and not _is_done(model, activation, outputs, spec):
        return _topped(model, spec, "sigmoid" if units == 1 else "softmax")
    _check(model, name, activation, outputs, spec)
    return _plain(model, spec)


def reads_logits(model: keras.Model, units: int) -> bool:
    """Whether a model was compiled with a loss that takes logits.

    What the loss states decides, or else what it does.
    """
    if not model.compiled:
        return False
    form = form_of(model, units)
    for loss in loss_functions(model):
        stated = _stated(loss)
        if stated or (stated is None and _takes_logits(loss, form, units)):
            return True
    return False


def pixels(spec: ImageSpec, n: int = 10) -> np.ndarray:
    """Images of random pixels, (n, height, width, channels) uint8."""
    return np.random.default_rng(0).integers(0, 256, size=(n, *spec.shape), dtype=np.uint8)


def _stated(loss: Any) -> bool | None:
    """What a loss says of `from_logits`; None where it says nothing."""
    if isinstance(loss, partial) and "from_logits" in loss.keywords:
        return bool(loss.keywords["from_logits"])
    found = getattr(loss, "from_logits", getattr(loss, "_fn_kwargs", {}).get("from_logits"))
    if found is not None:
        return bool(found)
    is_keras = str(getattr(function_of(loss), "__module__", "")).startswith("keras.src.losses")
    return False if is_keras else None


def _takes_logits(loss: Loss, form: Form, units: int) -> bool:
    """Try a loss: softmax does not change if all logits grow by the same.

    Logits beyond 0 to 1 differ in the loss.
    """
    n_classes = max(units, 2)
    labels = np.arange(n_classes + 3) % n_classes
    targets = in_form(form, labels, units)
    if units == 1:
        signs = np.where(labels == 1, 1.0, -1.0)[:, None].astype("float32")
        right, surer, wrong = (loss_value(loss, targets, signs * size) for size in (2, 4, -2))
        return bool(surer < right < wrong)
    drawn = np.random.default_rng(0).normal(size=(len(labels), units)).astype("float32")
    value, shifted, other = (loss_value(loss, targets, drawn + 5 * size) for size in (0, 1, 2))
    sure = 6 * np.eye(units, dtype="float32")[labels]
    is_shift_free = np.allclose([value, shifted], other, rtol=1e-3, atol=1e-4)
    return bool(is_shift_free and loss_value(loss, targets, sure) < value)


def _plain(model: keras.Model, spec: ImageSpec) -> keras.Model:
    """The model without what only training needs.

    That is its class, where Keras has the graph, and what it was compiled with.

    A class, a loss or an optimizer of your own would keep Keras from loading what is saved.
    """
    is_plain = type(model) in (Functional, keras.Sequential) and not model.compiled
    if is_plain and not isinstance(getattr(model, "_outputs_struct", None), list | tuple | dict):
        return model
    if is_graph(model) or isinstance(model(pixels(spec, 1).astype("float32")), list | tuple | dict):
        return _topped(model, spec, None)
    return model


def _outputs(model: keras.Model, name: str, spec: ImageSpec) -> np.ndarray:
    """What a model puts out for ten images of random pixels, (10, units)."""
    found = keras.ops.convert_to_numpy(
        one_output(model(pixels(spec).astype("float32"), training=False))
    )
    outputs = found.astype("float32")
    if len(outputs) != 10:
        raise ConfigurationError(
            f'model "{name}" makes {len(outputs)} rows of 10 images', "return one row per image."
        )
    if not np.isfinite(outputs).all():
        raise ConfigurationError(
            f'model "{name}" outputs values that are not finite for pixels of 0-255',
            "begin it with keras.layers.Rescaling(1 / 255).",
        )
    return outputs


def _check(
    model: keras.Model, name: str, activation: str | None, outputs: np.ndarray, spec: ImageSpec
) -> None:
    """Refuse outputs that are no class probabilities."""
    units = outputs.shape[1]
    if activation == "softmax" and units == 1:
        raise ConfigurationError(
            f'model "{name}" ends with softmax over one unit, which is always 1',
            'end it with keras.layers.Dense(1, activation="sigmoid"), or with two softmax units.',
        )
    if _stay_probabilities(model, activation, outputs, spec):
        return
    if units == 1:
        raise ConfigurationError(
            f'model "{name}" outputs one logit, not a probability, and its loss does not say'
            " from_logits",
            'end it with keras.layers.Dense(1, activation="sigmoid"), or compile it with '
            "loss=keras.losses.BinaryCrossentropy(from_logits=True).",
        )
    low, high, total = outputs.min(), outputs.max(), outputs.sum(axis=1)
    last = f'keras.layers.Dense({units}, activation="softmax")'
    if low < -_TOLERANCE or high > 1 + _TOLERANCE or activation == "linear":
        raise ConfigurationError(
            f'model "{name}" outputs values from {low:.3g} to {high:.3g}, not class probabilities;'
            " they look like logits, and its loss does not say from_logits",
            f"end it with {last}, or compile it with "
            f"loss=keras.losses.{_crossentropy(model, units)}(from_logits=True).",
        )
    raise ConfigurationError(
        f'model "{name}" outputs values that do not sum to 1 over the classes (the sums are'
        f" {total.min():.3g} to {total.max():.3g})",
        f"end it with {last} instead of sigmoid or similar: an image has one class.",
    )


def _crossentropy(model: keras.Model, units: int) -> str:
    is_sparse = model.compiled and form_of(model, units) != "one_hot"
    return "SparseCategoricalCrossentropy" if is_sparse else "CategoricalCrossentropy"


def _are_probabilities(outputs: np.ndarray) -> bool:
    within = outputs.min() >= -1e-4 and outputs.max() <= 1 + _TOLERANCE
    return bool(
        within and (outputs.shape[1] == 1 or np.abs(outputs.sum(axis=1) - 1).max() <= _TOLERANCE)
    )


def _is_done(
    model: keras.Model, activation: str | None, outputs: np.ndarray, spec: ImageSpec
) -> bool:
    """Whether a model whose loss says `from_logits` puts out probabilities all the same.

    Keras copes with that.
    """
    return activation in _PROBABILITIES or _stay_probabilities(model, activation, outputs, spec)


def _stay_probabilities(
    model: keras.Model, activation: str | None, outputs: np.ndarray, spec: ImageSpec
) -> bool:
    """Whether outputs are probabilities whatever the weights.

    Logits and sigmoids may look like probabilities by chance.
    """
    if not _are_probabilities(outputs):
        return False
    if activation is not None:
        return activation == "softmax" or (outputs.shape[1] == 1 and activation in _PROBABILITIES)
    variables = model.trainable_variables
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
    images = pixels(spec).astype("float32")
    try:
        for factor in (-10.0, 10.0):
            for variable, value in zip(variables, before, strict=True):
                # Biases begin as 0.
                variable.assign((value + (0.1 if value.ndim == 1 else 0.0)) * factor)
            found = keras.ops.convert_to_numpy(one_output(model(images, training=False))).astype(
                "float32"
            )
            if np.isfinite(found).all() and not _are_probabilities(found):
                return False
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    return True


def _last_activation(model: keras.Model) -> str | None:
    """The name of the activation that a model ends with.

    None where the last layer does not tell.
    """
    last: Any = model
    while isinstance(last, keras.Model):
        if not is_graph(last):
            return None
        last = last.outputs[0]._keras_history.operation
    kind = type(last).__name__.lower()
    if kind in _PROBABILITIES:
        return kind
    activation = getattr(last, "activation", None)
    # A layer of your own may do more than what it calls its activation.
    is_keras = all(
        str(getattr(one, "__module__", "")).startswith("keras.") for one in (type(last), activation)
    )
    return getattr(activation, "__name__", None) if is_keras else None


def _topped(model: keras.Model, spec: ImageSpec, activation: str | None) -> keras.Model:
    """The model with an activation on top, of one tensor.

    A subclassed one as a layer of another.
    """
    if is_graph(model):
        inputs, outputs = model.inputs[0], model.outputs[0]
    else:
        inputs = keras.Input(spec.shape)
        outputs = one_output(model(inputs))
    if activation is not None:
        outputs = keras.layers.Activation(activation, dtype="float32", name="class_probabilities")(
            outputs
        )
    return keras.Model(inputs, outputs)
