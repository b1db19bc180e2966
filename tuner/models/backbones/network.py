"""A backbone with its weights, from RGB images to features."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from tuner.models.backbones import dinov2_weights, lite, lite_weights
from tuner.models.backbones.catalog import Backbone
from tuner.models.backbones.dinov2 import SIZES
from tuner.models.backbones.weights import NoPretrainedWeightsError, WeightsError
from tuner.records.error_text import first_line
from tuner.space.vocabulary import Pooling

# Of ImageNet's pixels on the 0-1 scale: keras/src/applications/efficientnet.py divides by it, then
# by its root.
_STD_RGB = 0.229, 0.224, 0.225


def build_network(backbone: Backbone, values: Mapping[str, Any]) -> keras.Model:
    """Build a backbone with the weights that a setting asks for; nothing of it is frozen yet.

    Args:
        backbone: Which one.
        values: `weights`: `imagenet`, `none` or the path of a file; `input_size`, pixels;
            `pooling`: `avg` or `max`.

    Returns:
        A model from RGB images (n, side, side, 3), 0-255, to features (n, n_features), `side` being
            `backbone.side(input_size)`.

    Raises:
        NoPretrainedWeightsError: If ImageNet weights are neither on this machine nor to be
            downloaded.
        WeightsError: If a file does not hold the weights of this network without its classifier.
    """
    weights, pooling = values["weights"], values["pooling"]
    size = backbone.side(values["input_size"])
    if backbone.name in SIZES:
        return dinov2_weights.build_network(backbone, weights, size, pooling)
    if weights == "imagenet" and not backbone.application:
        return lite_weights.build_pretrained(backbone.name, size, pooling)
    if weights == "imagenet":
        return _downloaded(backbone, size, pooling)
    network = (
        _application(backbone, size, pooling, None)
        if backbone.application
        else lite.build(backbone.name, size, pooling)
    )
    if weights == "none":
        return network
    _load(network, backbone, weights)
    return _as_trained(network, is_rescaled=False) if backbone.has_lost_rescaling else network


def _application(
    backbone: Backbone, size: int, pooling: Pooling, weights: str | None
) -> keras.Model:
    build = getattr(keras.applications, backbone.application)
    return build(include_top=False, weights=weights, input_shape=(size, size, 3), pooling=pooling)


def _downloaded(backbone: Backbone, size: int, pooling: Pooling) -> keras.Model:
    # Keras draws the progress of a download on stdout, where results belong; `clear_session`
    # forgets this setting.
    keras.config.disable_interactive_logging()
    try:
        with warnings.catch_warnings():
            # MobileNetV3 says of every other size that its weights are of networks for 224 pixels.
            warnings.simplefilter("ignore", UserWarning)
            network = _application(backbone, size, pooling, "imagenet")
    # Keras wraps every failure of a download in a plain Exception (keras/src/utils/file_utils.py).
    except Exception as error:
        raise NoPretrainedWeightsError(
            f"{backbone.title}: its ImageNet weights are not in Keras' cache and cannot be"
            f" downloaded: {first_line(error)}",
            "connect to the network once, give a file with `weights: PATH`, or use the model"
            " efficientnet_lite2, whose weights come with the installation.",
        ) from error
    return _as_trained(network, is_rescaled=True) if backbone.has_lost_rescaling else network


def _load(network: keras.Model, backbone: Backbone, path: str) -> None:
    try:
        with warnings.catch_warnings():
            # Keras only warns of some layers that a file says nothing of.
            warnings.simplefilter("error", UserWarning)
            network.load_weights(path)
    # What Keras and h5py raise for a file that does not fit, or is none at all, is of many kinds.
    except Exception as error:
        raise WeightsError(
            f'weights "{path}" are not those of {backbone.title} without its classifier:'
            f" {first_line(error)}",
            f"give a file for {backbone.title} that was saved with include_top=False, such as"
            " keras.applications' own that end in _notop.h5.",
        ) from error


def _as_trained(network: keras.Model, *, is_rescaled: bool) -> keras.Model:
    """The network with the input layers that its weights were trained with.

    Keras leaves out the second rescaling unless it downloads the weights itself. The normalization
    keeps its numbers in its configuration from here on: as weights they are without effect where a
    copy is given them by `set_weights` (keras/src/layers/preprocessing/normalization.py reads them
    in `finalize_state` only).
    """

    def fixed(layer: keras.layers.Layer) -> keras.layers.Layer:
        if not isinstance(layer, layers.Normalization):
            return layer
        mean, variance, _ = layer.get_weights()
        return layers.Normalization(
            axis=layer.axis, mean=mean.tolist(), variance=variance.tolist(), name=layer.name
        )

    def called(layer: keras.layers.Layer, *args: Any, **options: Any) -> Any:
        outputs = layer(*args, **options)
        if isinstance(layer, layers.Normalization) and not is_rescaled:
            outputs = layers.Rescaling([1 / math.sqrt(std) for std in _STD_RGB])(outputs)
        return outputs

    return keras.models.clone_model(network, clone_function=fixed, call_function=called)
