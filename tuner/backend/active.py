"""The implementation for the backend that Keras runs on."""

from __future__ import annotations

import keras

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
        predictor,
        prepare_devices,
        steps,
    )
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
        predictor,
        prepare_devices,
        steps,
    )

__all__ = [
    "RUN_TIME_VALUES",
    "Adam",
    "AdamW",
    "BatchNormalization",
    "Dropout",
    "augment",
    "crossentropy",
    "dials",
    "plain_copy",
    "predictor",
    "prepare_devices",
    "steps",
]

_PLAIN = {BatchNormalization: keras.layers.BatchNormalization, Dropout: keras.layers.Dropout}


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
