"""The implementation for the backend that Keras runs on."""

from __future__ import annotations

import keras

if keras.backend.backend() == "tensorflow":
    from tuner.backend.tensorflow import BatchNormalization, predictor, prepare_devices, steps
else:
    from tuner.backend.neutral import BatchNormalization, predictor, prepare_devices, steps

__all__ = ["BatchNormalization", "plain_copy", "predictor", "prepare_devices", "steps"]


def plain_copy(model: keras.Model) -> keras.Model:
    """The model made of Keras' own layers only, with the same weights and the same predictions.

    A subclass of a Keras layer does not load where this package is not installed. A model without one is returned as
    it is.
    """
    if not any(type(layer) is BatchNormalization for layer in model.layers):
        return model

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        if type(layer) is BatchNormalization:
            return keras.layers.BatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    return copy
