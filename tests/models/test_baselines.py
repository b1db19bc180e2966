"""The baselines are the published networks, layer by layer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.images import image_spec
from tuner.models.registry import build

EXPRESSION_VALUES = {
    "filters": [64, 128, 256],
    "kernel_sizes": [5, 5, 3],
    "convs_per_block": 2,
    "dense_units": 128,
    "dropout": 0.25,
}


def facts(layer: keras.layers.Layer) -> tuple[Any, ...]:
    """The kind of a layer with the numbers that make it up."""
    kind = next(c.__name__ for c in type(layer).__mro__ if c.__module__.startswith("keras."))
    match kind:
        case "Conv2D":
            return (
                kind,
                layer.filters,
                layer.kernel_size[0],
                layer.padding,
                layer.activation.__name__,
            )
        case "Dense":
            return kind, layer.units, layer.activation.__name__
        case "MaxPooling2D":
            return kind, layer.pool_size[0]
        case "Dropout":
            return kind, layer.rate
        case "Rescaling":
            return kind, round(1 / layer.scale)
    return (kind,)


def test_expression_cnn_is_the_published_stack() -> None:
    model = build("expression_cnn", EXPRESSION_VALUES, image_spec(n_classes=7, side=48))
    end_of_block = [("BatchNormalization",), ("MaxPooling2D", 2), ("ReLU",)]
    assert [facts(layer) for layer in model.layers] == [
        ("Rescaling", 255),
        *[("Conv2D", 64, 5, "valid", "linear")] * 2,
        *end_of_block,
        *[("Conv2D", 128, 5, "valid", "linear")] * 2,
        *end_of_block,
        *[("Conv2D", 256, 3, "valid", "linear")] * 2,
        *end_of_block,
        ("Flatten",),
        ("Dense", 128, "linear"),
        ("BatchNormalization",),
        ("ReLU",),
        ("Dropout", 0.25),
        ("Dense", 7, "softmax"),
    ]
    convolutions = [
        (1, 64, 5),
        (64, 64, 5),
        (64, 128, 5),
        (128, 128, 5),
        (128, 256, 3),
        (256, 256, 3),
    ]
    n_convolution = sum((before * size**2 + 1) * after for before, after, size in convolutions)
    n_norm = 4 * (64 + 128 + 256 + 128)
    # 48 pixels: 44, 40, 20; 16, 12, 6; 4, 2, 1.
    n_dense = 257 * 128 + 129 * 7
    assert model.count_params() == n_convolution + n_norm + n_dense


def test_sigmoid_cnn_is_the_published_stack() -> None:
    values = {"filters": [16, 32, 64], "dense_units": 128, "dropout": 0.0}
    model = build("sigmoid_cnn", values, image_spec(side=150, channels=3))
    assert [facts(layer) for layer in model.layers] == [
        ("Rescaling", 255),
        ("Conv2D", 16, 3, "valid", "relu"),
        ("MaxPooling2D", 2),
        ("Conv2D", 32, 3, "valid", "relu"),
        ("MaxPooling2D", 2),
        ("Conv2D", 64, 3, "valid", "relu"),
        ("MaxPooling2D", 2),
        ("Flatten",),
        ("Dense", 128, "relu"),
        ("Dense", 1, "sigmoid"),
    ]
    # 150 pixels: 148, 74; 72, 36; 34, 17.
    n_convolution = (3 * 9 + 1) * 16 + (16 * 9 + 1) * 32 + (32 * 9 + 1) * 64
    assert model.count_params() == n_convolution + (17 * 17 * 64 + 1) * 128 + 129


def test_sigmoid_cnn_with_dropout_has_it_before_the_last_layer() -> None:
    values = {"filters": [4], "dense_units": 8, "dropout": 0.5}
    model = build("sigmoid_cnn", values, image_spec(channels=3))
    assert [facts(layer) for layer in model.layers[-2:]] == [
        ("Dropout", 0.5),
        ("Dense", 1, "sigmoid"),
    ]
    found = np.asarray(model(np.zeros((3, 8, 8, 3), dtype="float32")))
    assert found.shape == (3, 1)
