"""Where a prediction is sensitive: Grad-CAM.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from tuner.backend.active import backend, n_together
from tuner.errors import TunerError
from tuner.evaluation.explain.convolutions import Convolution, convolutions, maps_of, tapped


class NoSaliencyError(TunerError):
    """There can be no saliency map; the message says why in a sentence."""


def sensitive_convolution(model: keras.Model) -> Convolution:
    """The last convolution of a model.

    Raises:
        NoSaliencyError: If the model has none, or is not one from images to class probabilities.
    """
    if not all(getattr(one, "inputs", None) for one in _networks(model)):
        raise NoSaliencyError(
            "The model is of a class of its own, whose layers Keras cannot follow."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise NoSaliencyError("The model has several inputs or outputs.")
    if getattr(_last_layer(model), "activation", None) not in (
        keras.activations.softmax,
        keras.activations.sigmoid,
    ):
        raise NoSaliencyError(
            "The last layer has no softmax or sigmoid of its own: class scores are not known."
        )
    found = convolutions(model)
    if not found:
        raise NoSaliencyError("The model has no convolution.")
    return found[-1]


def saliency_maps(
    model: keras.Model, convolution: Convolution, images: np.ndarray, predicted: np.ndarray
) -> np.ndarray:
    """Grad-CAM of the predicted classes.

    Each channel of the convolution is weighted by the mean gradient of the class score with respect
    to it; of the sum, what is positive is kept. The score is that before softmax, whose own
    gradient vanishes where a model is sure.

    Args:
        model: From images to softmax (n, classes) or sigmoid (n, 1).
        convolution: From `sensitive_convolution`.
        images: (n, height, width, channels), 0-255.
        predicted: Class numbers (n,).

    Returns:
        Maps (n, rows, columns) in the convolution's size; each from 0 to 1, or all 0 where nothing
            is positive.

    Raises:
        NoSaliencyError: If Keras runs on a backend that gives no gradients.
    """
    size = n_together(model)
    parts = [slice(start, start + size) for start in range(0, len(images), size)]
    return np.concatenate(
        [_grad_cam(model, convolution, images[part], predicted[part]) for part in parts]
    )


def _grad_cam(
    model: keras.Model, convolution: Convolution, images: np.ndarray, predicted: np.ndarray
) -> np.ndarray:
    (maps,) = maps_of(model, [convolution], images)
    units = model.output_shape[-1]
    chosen = np.eye(units)[predicted] if units > 1 else 2.0 * predicted[:, None] - 1.0

    def score(of_maps: Any) -> Any:
        """Class scores summed over the images: no image's maps change the score of another."""
        with tapped(convolution.end, lambda _: of_maps), _scores_put_out(model):
            return keras.ops.sum(
                model(images.astype("float32"), training=False) * chosen.astype("float32")
            )

    gradients = backend.gradient(score, maps)
    if gradients is None:
        raise NoSaliencyError(
            f"Keras' backend {keras.backend.backend()} gives no gradients for a saliency map."
        )
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    found = np.maximum((weights * maps).sum(axis=3), 0)
    largest = found.max(axis=(1, 2), keepdims=True)
    relative: np.ndarray = np.divide(found, largest, out=np.zeros_like(found), where=largest > 0)
    return relative


@contextmanager
def _scores_put_out(model: keras.Model) -> Iterator[None]:
    """Let a model put out its scores in place of probabilities."""
    last = _last_layer(model)
    activation = last.activation
    last.activation = keras.activations.linear
    try:
        yield
    finally:
        last.activation = activation


def _networks(model: keras.Model) -> Iterator[keras.Model]:
    """A model and those inside it."""
    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _networks(layer)


def _last_layer(model: keras.Model) -> Any:
    last = model.layers[-1]
    return _last_layer(last) if isinstance(last, keras.Model) and last.layers else last
