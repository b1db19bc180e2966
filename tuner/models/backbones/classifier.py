"""Classifiers on a backbone: the whole, its frozen part, and its head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from tuner.backend.active import backend
from tuner.models.backbones.catalog import Backbone
from tuner.models.backbones.network import build_network
from tuner.records.image import ImageSpec


def build(backbone: Backbone, values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Build the network and its head.

    A network that has learnt before runs in inference mode even while it is trained: the statistics
    of a small data set would spoil what it has learnt (Keras' guide to transfer learning).

    Args:
        backbone: Which network.
        values: Every term of `tuner.space.vocabulary.BACKBONE_TERMS`.
        image_spec: Shape and classes.

    Returns:
        A model from (n, height, width, channels), 0-255, to softmax probabilities (n, classes); not
            compiled. Only the
        head and the `unfreeze_blocks` top blocks train; everything does where `weights` is `none`.

    Raises:
        NoPretrainedWeightsError: If the weights are not at hand.
        WeightsError: If they cannot be used.
    """
    inputs, images = _rgb_inputs(backbone.side(values["input_size"]), image_spec)
    network = build_network(backbone, values)
    if values["weights"] == "none":
        _use_backend_normalisation(network)
    else:
        _freeze(network, backbone, values["unfreeze_blocks"])
    return keras.Model(inputs, _head(network(images), values, image_spec))


def build_extractor(
    backbone: Backbone, values: Mapping[str, Any], image_spec: ImageSpec
) -> keras.Model:
    """Build the frozen network alone.

    Args:
        backbone: Which network.
        values: `weights`, `input_size` and `pooling`.
        image_spec: Shape.

    Returns:
        A model from (n, height, width, channels), 0-255, to features (n, n_features).

    Raises:
        NoPretrainedWeightsError: If the weights are not at hand.
        WeightsError: If they cannot be used.
    """
    inputs, images = _rgb_inputs(backbone.side(values["input_size"]), image_spec)
    network = build_network(backbone, values)
    _freeze(network, backbone, n_blocks=0)
    return keras.Model(inputs, network(images))


def build_head(backbone: Backbone, values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """Build the head alone.

    Args:
        backbone: Whose features it takes.
        values: `dense_units`, 0 for no dense layer, and `dropout`.
        image_spec: Classes.

    Returns:
        A model from features (n, n_features) to softmax probabilities (n, classes); not compiled.
    """
    inputs = layers.Input((backbone.n_features,))
    return keras.Model(inputs, _head(inputs, values, image_spec))


def copy_head(head: keras.Model, whole: keras.Model) -> None:
    """Give the head of a whole classifier the weights of a like head that was trained alone."""
    for layer in head.layers:
        if layer.weights:
            whole.get_layer(layer.name).set_weights(layer.get_weights())


def _freeze(network: keras.Model, backbone: Backbone, n_blocks: int) -> None:
    """Let only the top blocks of a network train, and keep all of it in inference mode.

    Calling it with `training=False` would not do: a model that trains overrules that for the
    networks inside it (keras/src/models/functional.py, `operation_fn`).
    """
    for layer in network.layers:
        # A frozen BatchNormalization uses its moving statistics in training too.
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = backbone.is_unfrozen(layer.name, n_blocks) and not is_norm
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0


def _use_backend_normalisation(network: keras.Model) -> None:
    """Use the backend's BatchNormalization.

    It cuts the operations of EfficientNetB2's training step by a third.
    """
    for layer in network.layers:
        if type(layer) is layers.BatchNormalization:
            # keras.applications takes no layer class. The backend's differs from Keras' in `call`
            # only, so changing the class of a built layer is safe, and saves a second build.
            layer.__class__ = backend.BatchNormalization


def _rgb_inputs(size: int, image_spec: ImageSpec) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Inputs, and the same as RGB of `size` pixels.

    No rescaling, since every backbone has its own inside.
    """
    inputs = images = layers.Input(image_spec.shape)
    if (image_spec.height, image_spec.width) != (size, size):
        images = layers.Resizing(size, size)(images)
    if image_spec.channels == 1:
        images = layers.Concatenate()([images] * 3)
    return inputs, images


def _head(
    features: keras.KerasTensor, values: Mapping[str, Any], image_spec: ImageSpec
) -> keras.KerasTensor:
    if values["dense_units"]:
        features = layers.Dense(values["dense_units"], activation="relu", name="head_dense")(
            features
        )
    if values["dropout"]:
        features = backend.Dropout(values["dropout"], name="head_dropout")(features)
    return layers.Dense(
        image_spec.n_classes, activation="softmax", dtype="float32", name="head_output"
    )(features)
