"""Whether a model of your own takes the images and gives one output per class.

Builds it where it is lazily built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from keras.src.models import Functional

from tuner.errors import ConfigurationError
from tuner.records.error_text import reason_of
from tuner.records.image import ImageSpec


def fit_to(model: keras.Model, name: str, spec: ImageSpec) -> int:
    """Check a model against the images and classes.

    It is built on the images' shape if it is not built yet.

    Args:
        model: A `Sequential` without an `Input`, or a subclassed model, gets its weights here.
        name: What messages call it.
        spec: Shape and classes.

    Returns:
        Its units: the classes, or 1 for two classes.

    Raises:
        ConfigurationError: If it takes other inputs, or does not put out one value per class.
    """
    if not model.built and isinstance(model, keras.Sequential):
        _called(lambda: model.build((None, *spec.shape)), name, spec)
    if is_graph(model):
        outputs: Any = model.outputs
    else:
        images = np.zeros((1, *spec.shape), dtype="float32")
        outputs = _called(lambda: model(images, training=False), name, spec)
    units = _units(outputs, name, spec)
    if units != spec.n_classes and (units, spec.n_classes) != (1, 2):
        raise ConfigurationError(
            f'model "{name}" outputs {units} values, but there are {spec.n_classes} classes',
            f"end it with {_head(spec)}, one unit per class (or one sigmoid unit for two classes); "
            "a build(values, image_spec) finds the number in image_spec.n_classes.",
        )
    if is_graph(model):
        _check_inputs(model, name, spec)
    _UNITS[model] = units
    return units


def is_graph(model: keras.Model) -> bool:
    """Whether Keras has a model's layers from inputs to outputs.

    A subclassed one does anything in its `call`.
    """
    call = type(model).call
    return bool(getattr(model, "inputs", None)) and call in (Functional.call, keras.Sequential.call)


# What `fit_to` has found of models without a graph.
_UNITS: WeakKeyDictionary[keras.Model, int] = WeakKeyDictionary()


def units_of(model: keras.Model) -> int:
    """How many values a model puts out for an image; of a subclassed one after `fit_to`."""
    return _UNITS[model] if model in _UNITS else int(model.output_shape[-1])


def one_output(outputs: Any) -> Any:
    """The only tensor of a model's outputs, which may stand alone in a list or a dict."""
    while isinstance(outputs, list | tuple | Mapping) and len(outputs) == 1:
        outputs = next(iter(outputs.values() if isinstance(outputs, Mapping) else outputs))
    return outputs


def _called(call: Any, name: str, spec: ImageSpec) -> Any:
    try:
        return call()
    except ConfigurationError:
        raise
    # Code of any kind runs here.
    except Exception as error:
        raise ConfigurationError(
            f'model "{name}" cannot take images of {_shown(spec.shape)} (values 0-255, float32):'
            f" {brief(error)}",
            f"build it for keras.Input({spec.shape}); a build(values, image_spec) finds it in"
            " image_spec.shape.",
        ) from error


def brief(error: BaseException, limit: int = 200) -> str:
    """An exception in one line, cut where it is long."""
    text = reason_of(error)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _check_inputs(model: keras.Model, name: str, spec: ImageSpec) -> None:
    inputs = model.inputs
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs)
        raise ConfigurationError(
            f'model "{name}" takes {len(inputs)} inputs ({names}), but images are the only input',
            f"build it with one input, keras.Input({spec.shape}).",
        )
    batch, *shape = inputs[0].shape
    if batch is not None:
        raise ConfigurationError(
            f'model "{name}" takes exactly {batch} images at a time, but batches differ in size',
            f"leave the batch's size out: keras.Input({spec.shape}).",
        )
    fits = len(shape) == len(spec.shape) and all(
        side in (None, n) for side, n in zip(shape, spec.shape, strict=True)
    )
    if not fits:
        raise ConfigurationError(
            f'model "{name}" takes images of {_shown(shape)}, but the data set\'s are'
            f" {_shown(spec.shape)}",
            _other_size(shape, spec),
        )


def _other_size(shape: list[int | None], spec: ImageSpec) -> str:
    own = (
        f"build it for keras.Input({spec.shape}): a build(values, image_spec) finds it in"
        " image_spec.shape"
    )
    if len(shape) != 3 or shape[2] not in (None, 1, 3) or None in shape[:2]:
        return f"{own}."
    channels = shape[2] or spec.channels
    image = f"image: {{height: {shape[0]}, width: {shape[1]}, channels: {channels}}}"
    return f"{own}; or state the size in the data set's card (datasets/README.md): {image}."


def _units(outputs: Any, name: str, spec: ImageSpec) -> int:
    """Of a model's one output (n, units)."""
    only = one_output(outputs)
    if isinstance(only, list | tuple | Mapping):
        names = f" ({', '.join(map(str, only))})" if isinstance(only, Mapping) else ""
        raise ConfigurationError(
            f'model "{name}" outputs {len(only)} arrays{names}; expected one, of class'
            " probabilities",
            "return a model with that output alone: keras.Model(model.input, model.outputs[0]),"
            " say.",
        )
    shape = tuple(getattr(only, "shape", ()))
    if len(shape) != 2 or shape[1] is None:
        shown = " x ".join(
            "n" if side is None or i == 0 else str(side) for i, side in enumerate(shape)
        )
        raise ConfigurationError(
            f'model "{name}" outputs an array of {shown or "no shape"}; expected n x'
            f" {spec.n_classes}",
            f"end it with keras.layers.Flatten() or GlobalAveragePooling2D(), then {_head(spec)}.",
        )
    return int(shape[1])


def _head(spec: ImageSpec) -> str:
    return f'keras.layers.Dense({spec.n_classes}, activation="softmax")'


def _shown(shape: Any) -> str:
    return "x".join("any" if side is None else str(side) for side in shape) or "single values"
