"""The CNN family: every setting gives probabilities, and the layers that it asks for."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.images import banded_images, image_spec
from tuner.models.preprocessing import normalization_layers
from tuner.models.registry import build, setting_problem
from tuner.records.image import ImageSpec

SPEC = image_spec(n_classes=3)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"conv_blocks": 1, "convs_per_block": 2},
    {"conv_blocks": 3, "filters": 8, "filters_1": 5, "kernel_size_2": 5},
    {"conv_blocks": 2, "batch_norm": False},
    {"conv_blocks": 2, "conv_dropout": 0.1, "conv_dropout_1": 0.0},
    {"pooling": "global_average", "dense_units": 0, "dropout": 0.0},
    {"normalization": "standardize"},
    {"normalization": "per_image"},
]


def of_type(model: keras.Model, *types: type) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if isinstance(layer, types)]


@pytest.mark.parametrize("values", SETTINGS, ids=str)
def test_any_setting_gives_probabilities_and_the_layers_asked_for(values: dict[str, Any]) -> None:
    model = build("cnn", values, SPEC)
    images = banded_images(4, SPEC)[0].astype("float32")
    probabilities = np.asarray(model(images))
    assert probabilities.shape == (4, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    blocks = values.get("conv_blocks", 3)
    n_convolutions = blocks * values.get("convs_per_block", 1)
    assert len(of_type(model, keras.layers.Conv2D)) == n_convolutions
    assert len(of_type(model, keras.layers.MaxPooling2D)) == blocks
    with_norm = values.get("batch_norm", True)
    assert len(of_type(model, keras.layers.BatchNormalization)) == (
        n_convolutions if with_norm else 0
    )
    assert all(layer.use_bias is not with_norm for layer in of_type(model, keras.layers.Conv2D))


def test_block_value_overrides_the_common_one_in_its_block_only() -> None:
    model = build("cnn", SETTINGS[2], SPEC)
    convolutions = of_type(model, keras.layers.Conv2D)
    assert [layer.filters for layer in convolutions] == [8, 5, 8]
    assert [layer.kernel_size for layer in convolutions] == [(3, 3), (3, 3), (5, 5)]


def test_dropout_of_blocks_and_head_are_apart() -> None:
    model = build("cnn", SETTINGS[4], SPEC)
    assert [layer.rate for layer in of_type(model, keras.layers.Dropout)] == [0.1, 0.25]


def test_head_without_dense_units_and_dropout_is_one_layer_after_the_pooling() -> None:
    model = build("cnn", SETTINGS[5], SPEC)
    assert [type(layer) for layer in model.layers[-2:]] == [
        keras.layers.GlobalAveragePooling2D,
        keras.layers.Dense,
    ]


def test_pooling_before_relu_equals_relu_before_pooling() -> None:
    model = build("cnn", {"conv_blocks": 1}, SPEC)
    kinds = [type(layer) for layer in model.layers]
    assert kinds.index(keras.layers.MaxPooling2D) < kinds.index(keras.layers.ReLU)
    maps = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    pool, relu = keras.layers.MaxPooling2D(2), keras.layers.ReLU()
    np.testing.assert_array_equal(relu(pool(maps)), pool(relu(maps)))


def test_images_too_small_for_the_poolings_are_a_problem_in_words() -> None:
    message = "conv_blocks is 4, but 4 poolings by 2 would shrink 8x8 images below 1x1"
    assert setting_problem("cnn", {"conv_blocks": 4}, 8, 8) == message
    assert setting_problem("cnn", {"conv_blocks": 3}, 8, 8) is None
    assert setting_problem("cnn", {"conv_blocks": 3}, 100, 7) is not None
    assert setting_problem("my_package:build", {"conv_blocks": 9}, 8, 8) is None


def test_the_deepest_setting_without_a_problem_can_be_built() -> None:
    assert build("cnn", {"conv_blocks": 3}, SPEC).output_shape == (None, 3)


def normalized(kind: str, spec: ImageSpec, images: np.ndarray) -> np.ndarray:
    return np.asarray(
        keras.Sequential([keras.layers.Input(spec.shape), *normalization_layers(kind, spec)])(
            images
        )
    )


def test_standardize_gives_each_channel_mean_0_and_deviation_1() -> None:
    images = (
        np.random.default_rng(0)
        .normal((50, 100, 200), (5, 10, 20), size=(20, 8, 8, 3))
        .astype("float32")
    )
    spec = ImageSpec(
        height=8,
        width=8,
        channels=3,
        class_names=("a", "b"),
        mean=tuple(images.mean(axis=(0, 1, 2)).tolist()),
        std=tuple(images.std(axis=(0, 1, 2)).tolist()),
    )
    found = normalized("standardize", spec, images)
    np.testing.assert_allclose(found.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=(0, 1, 2)), 1, atol=1e-4)


def test_per_image_gives_each_image_mean_0_and_deviation_1() -> None:
    images = banded_images(5, SPEC)[0].astype("float32")
    found = normalized("per_image", SPEC, images)
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=(1, 2, 3)), 1, atol=1e-3)


def test_rescale_brings_pixels_to_0_1() -> None:
    found = normalized("rescale", SPEC, np.full((1, *SPEC.shape), 255.0, dtype="float32"))
    np.testing.assert_allclose(found, 1.0, rtol=1e-6)


@pytest.mark.parametrize("kind", ["standardize", "per_image"])
def test_images_of_one_grey_stay_finite(kind: str) -> None:
    spec = ImageSpec(height=8, width=8, channels=1, class_names=("a", "b"), mean=(7.0,), std=(0.0,))
    assert np.isfinite(normalized(kind, spec, np.full((2, 8, 8, 1), 7.0, dtype="float32"))).all()
