"""The implementation for the backend that Keras runs on."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import keras
import numpy as np

from tuner.backend import environment, keras_settings
from tuner.backend.neutral import leave_tensorflow_out
from tuner.backend.policy import PLAIN, Policy, choose
from tuner.backend.protocol import Backend
from tuner.space.definition import Precision

# Whoever builds a model has this module imported before: workers too, and those of a Ray cluster.
keras.config.set_image_data_format(environment.KERAS_SETTINGS["image_data_format"])
keras.config.set_floatx(environment.KERAS_SETTINGS["floatx"])
keras.config.set_epsilon(environment.KERAS_SETTINGS["epsilon"])

# Backends with an implementation of their own; each module has a `BACKEND`.
IMPLEMENTATIONS: Mapping[str, str] = {
    "tensorflow": "tuner.backend.tensorflow",
    "jax": "tuner.backend.jax",
}

_MODULE = IMPLEMENTATIONS.get(keras.backend.backend(), "tuner.backend.neutral")

backend: Backend = importlib.import_module(_MODULE).BACKEND

if keras.backend.backend() != "tensorflow":
    leave_tensorflow_out()

# What a process calls first.
prepare_devices = backend.prepare_devices

# Layers of ours, and Keras' own in their place; some backends have none.
_PLAIN = {
    ours: plain
    for ours, plain in (
        (backend.BatchNormalization, keras.layers.BatchNormalization),
        (backend.Dropout, keras.layers.Dropout),
    )
    if ours is not plain
}


@cache
def policy() -> Policy:
    """What this process makes of its devices; asks for them, so call `prepare_devices` before."""
    return choose(backend.gpus()) if environment.is_accelerated() else PLAIN


def uses_xla() -> bool:
    """Whether a model of ours is to be compiled with `jit_compile`.

    JAX is made for nothing else.
    """
    return policy().uses_xla or keras.backend.backend() == "jax"


def training_precision(name: Precision | None) -> AbstractContextManager[None]:
    """Layers that are built inside compute in a training's precision; variables stay float32.

    Only there, so that what is built from the same weights to be saved and scored is a float32
    network. Keras' `clear_session` would forget a precision that is set for good, too.

    Args:
        name: The precision; None for the policy's.
    """
    return precision(name or policy().precision)


@contextmanager
def precision(name: str | None = None) -> Iterator[None]:
    """Layers that are built inside compute in a precision.

    Afterwards the settings from before hold, whatever a builder of your own has set: the precision,
    `floatx` and `epsilon`, and whether TensorFlow runs functions eagerly.

    Args:
        name: Keras' dtype policy; None for the one that holds.
    """
    before = keras_settings.current()
    with backend.graphs_kept():
        keras.config.set_dtype_policy(name or before.precision)
        try:
            yield
        finally:
            keras_settings.put(before)


def n_together(model: keras.Model) -> int:
    """How many images a model predicts together, by the largest that it sees.

    A model may enlarge images itself, or a model inside it, as a member of an ensemble does.
    """
    # A model of your own class has no shapes of its layers.
    seen = [getattr(layer, "output", None) for layer in model._flatten_layers()] + list(
        getattr(model, "inputs", None) or []
    )
    shapes: list[tuple[int | None, ...]] = [getattr(tensor, "shape", ()) for tensor in seen]
    pixels = [(shape[1] or 1) * (shape[2] or 1) for shape in shapes if len(shape) == 4]
    return policy().n_together(max(pixels, default=1))


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function from images (n, ...) to what the model puts out, (n, units).

    It takes any number of images, and predicts `n_together` of them at a time.
    """
    function, n_at_once = backend.predictor(model), n_together(model)

    def predict(images: np.ndarray) -> np.ndarray:
        parts = [images[i : i + n_at_once] for i in range(0, max(len(images), 1), n_at_once)]
        return np.concatenate([function(part) for part in parts])

    return predict


def plain_copy(model: keras.Model) -> keras.Model:
    """The model made of Keras' own layers only, with the same weights and the same predictions.

    A subclass of a Keras layer does not load where this package is not installed. A model without
    one, in itself and in the models inside it, is returned as it is. Give it uncompiled: a loss of
    ours would not load either.
    """
    if not _has_own_layers(model):
        return model

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.Model) and _has_own_layers(layer):
            return keras.models.clone_model(layer, clone_function=plain)
        return _PLAIN.get(type(layer), type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    return copy


def _has_own_layers(model: keras.Model) -> bool:
    return any(
        type(layer) in _PLAIN or (isinstance(layer, keras.Model) and _has_own_layers(layer))
        for layer in model.layers
    )
