"""The implementation for the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import keras

from tuner.backend import environment
from tuner.backend.neutral import leave_tensorflow_out
from tuner.backend.policy import PLAIN, Policy, choose

if keras.backend.backend() == "tensorflow":
    from tuner.backend.tensorflow import (
        RUN_TIME_VALUES,
        Adam,
        AdamW,
        BatchNormalization,
        Dropout,
        augment,
        crossentropy,
        dials,
        gpus,
        predictor,
        prepare_devices,
        steps,
    )
elif keras.backend.backend() == "jax":
    from tuner.backend.jax import (
        RUN_TIME_VALUES,
        Adam,
        AdamW,
        BatchNormalization,
        Dropout,
        augment,
        crossentropy,
        dials,
        gpus,
        predictor,
        prepare_devices,
        steps,
    )

    leave_tensorflow_out()
else:
    from tuner.backend.neutral import (
        RUN_TIME_VALUES,
        Adam,
        AdamW,
        BatchNormalization,
        Dropout,
        augment,
        crossentropy,
        dials,
        gpus,
        predictor,
        prepare_devices,
        steps,
    )

    leave_tensorflow_out()

__all__ = [
    "RUN_TIME_VALUES",
    "Adam",
    "AdamW",
    "BatchNormalization",
    "Dropout",
    "augment",
    "crossentropy",
    "dials",
    "gpus",
    "plain_copy",
    "policy",
    "predictor",
    "prepare_devices",
    "steps",
    "training_precision",
    "uses_xla",
]

_PLAIN = {BatchNormalization: keras.layers.BatchNormalization, Dropout: keras.layers.Dropout}


@cache
def policy() -> Policy:
    """What this process makes of its devices; asks for them, so call `prepare_devices` before."""
    return choose(gpus()) if environment.is_accelerated() else PLAIN


def uses_xla() -> bool:
    """Whether a model of ours is to be compiled with `jit_compile`; JAX is made for nothing else."""
    return policy().uses_xla or keras.backend.backend() == "jax"


@contextmanager
def training_precision() -> Iterator[None]:
    """Layers that are built inside compute in the policy's precision; their variables stay float32.

    Only there, so that what is built from the same weights to be saved and scored is a float32 network. Keras'
    `clear_session` would forget a precision that is set for good, too.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy().precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def plain_copy(model: keras.Model) -> keras.Model:
    """The model made of Keras' own layers only, with the same weights and the same predictions.

    A subclass of a Keras layer does not load where this package is not installed. A model without one is returned as
    it is. It is not compiled: a loss of ours would not load either.
    """
    if not any(type(layer) in _PLAIN for layer in model.layers):
        return model

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        return _PLAIN.get(type(layer), type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    return copy
