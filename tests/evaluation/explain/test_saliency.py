"""Saliency maps: the numbers of Grad-CAM, and the networks that it works for or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.evaluation.explain.networks import SIDE, bright_square, linear_network
from tests.images import SMALL_CNN, banded_images, image_spec
from tuner.backend import neutral
from tuner.backend.active import plain_copy
from tuner.evaluation.explain import saliency
from tuner.evaluation.explain.saliency import NoSaliencyError, saliency_maps, sensitive_convolution
from tuner.models.registry import build

BACKBONE = {"weights": "none", "input_size": 64, "pooling": "avg", "dense_units": 8, "dropout": 0.2}


def grad_cam(model: keras.Model, images: np.ndarray, predicted: list[int]) -> np.ndarray:
    return saliency_maps(model, sensitive_convolution(model), images, np.array(predicted))


def test_map_is_the_channels_weighted_by_their_mean_gradients_and_cut_at_zero() -> None:
    head = np.array([[0.5, 2.0], [1.0, -3.0]])
    model = linear_network(head)
    images = np.random.default_rng(0).integers(0, 256, size=(2, SIDE, SIDE, 1), dtype=np.uint8)
    maps = grad_cam(model, images, [0, 1])
    # The score of class c is the mean over 64 places of head[0, c] x + head[1, c] 2 x.
    by_hand = np.maximum(
        [(head[0, c] + 2 * head[1, c]) / 64 * image[..., 0] for c, image in enumerate(images)], 0
    )
    assert np.allclose(maps[0], by_hand[0] / by_hand[0].max(), atol=1e-6)
    assert not maps[1].any(), "nothing speaks for class 1, whose gradient is negative everywhere"


def test_map_lies_on_the_square_that_the_class_depends_on() -> None:
    maps = grad_cam(linear_network(np.array([[1.0, -1.0], [0.0, 0.0]])), bright_square(1, 5), [0])
    assert maps[0, 1:3, 5:7].sum() == pytest.approx(maps.sum())


def test_map_of_a_trained_network_lies_where_the_class_is_told() -> None:
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    labels = np.arange(64) % 2
    images = generator.integers(0, 60, size=(64, SIDE, SIDE, 1)).astype("float32")
    images[labels == 1, 4:7, 1:4] += 180
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="sparse_categorical_crossentropy")
    for _ in range(30):
        model.train_on_batch(images, labels)
    shown = images[labels == 1][:4]
    maps = grad_cam(model, shown, [1] * 4)
    assert (maps[:, 3:8, 0:5].sum(axis=(1, 2)) > 0.7 * maps.sum(axis=(1, 2))).all()


def test_map_does_not_vanish_where_the_model_is_sure() -> None:
    model = linear_network(np.array([[50.0, -50.0], [0.0, 0.0]]))
    image = bright_square(0, 0)
    assert np.asarray(model(image.astype("float32")))[0, 0] == 1.0
    assert grad_cam(model, image, [0]).max() == 1.0


def test_one_sigmoid_unit_speaks_for_class_1_and_against_class_0() -> None:
    images = np.concatenate([bright_square(0, 0), bright_square(0, 0)])
    maps = grad_cam(linear_network(np.array([[1.0], [0.0]]), units_end="sigmoid"), images, [1, 0])
    assert (maps[0].max(), maps[1].max()) == (1.0, 0.0)


def test_relu_behind_the_pooling_counts_as_if_it_stood_before() -> None:
    after, before = (_pooled(order) for order in ("pool first", "relu first"))
    images = np.concatenate([bright_square(0, 0), bright_square(3, 3)])
    assert np.allclose(grad_cam(after, images, [0, 0]), grad_cam(before, images, [0, 0]), atol=1e-6)


def _pooled(order: str) -> keras.Model:
    pool, relu = layers.MaxPooling2D(2), layers.ReLU()
    conv = layers.Conv2D(2, 1, bias_initializer=keras.initializers.Constant(-50.0))
    middle = [pool, relu] if order == "pool first" else [relu, pool]
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            conv,
            *middle,
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    keras.utils.set_random_seed(0)
    # Gradients of the empty windows differ between the two, so that the head gives none of its own.
    kernel = np.tile(np.array([1.0, -1.0], dtype="float32"), (32, 1))
    model.set_weights(
        [np.array([[[[1.0, 2.0]]]], dtype="float32"), np.full(2, 5.0), kernel, np.zeros(2)]
    )
    return model


@pytest.mark.parametrize(
    "changes", [{}, {"batch_norm": False}, {"conv_blocks": 2, "convs_per_block": 2}]
)
def test_cnn_family_has_maps_before_and_after_it_is_saved(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    spec = image_spec()
    keras.utils.set_random_seed(0)
    model = plain_copy(build("cnn", {**SMALL_CNN, **changes}, spec))
    images, labels = banded_images(5, spec)
    maps = saliency_maps(model, sensitive_convolution(model), images, labels)
    side = 8 if "conv_blocks" not in changes else 4
    assert maps.shape == (5, side, side)
    assert np.isfinite(maps).all() and maps.max() == 1.0
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again = saliency_maps(loaded, sensitive_convolution(loaded), images, labels)
    assert np.allclose(maps, again, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer"), [("efficientnet_b0", "top_conv"), ("efficientnet_lite2", "top_conv")]
)
def test_network_inside_a_network_has_maps(name: str, layer: str) -> None:
    spec = image_spec(n_classes=3, side=16)
    keras.utils.set_random_seed(0)
    model = plain_copy(build(name, BACKBONE, spec))
    images, labels = banded_images(2, spec)
    before = np.asarray(model(images.astype("float32"), training=False))
    convolution = sensitive_convolution(model)
    maps = saliency_maps(model, convolution, images, labels)
    assert (convolution.name, maps.shape) == (layer, (2, 2, 2))
    assert np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1
    after = np.asarray(model(images.astype("float32"), training=False))
    assert np.array_equal(before, after), "the network is as it was"


def test_image_without_influence_on_others_has_the_same_map_alone() -> None:
    spec = image_spec()
    keras.utils.set_random_seed(0)
    model = plain_copy(build("cnn", SMALL_CNN, spec))
    images, labels = banded_images(4, spec)
    together = saliency_maps(model, sensitive_convolution(model), images, labels)
    alone = saliency_maps(model, sensitive_convolution(model), images[2:3], labels[2:3])
    assert np.allclose(together[2:3], alone, atol=1e-5)


class OwnClass(keras.Model):
    """A network that only its own code knows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = layers.Conv2D(2, 1), layers.Dense(2, activation="softmax")

    def call(self, images: Any) -> Any:
        return self.dense(keras.ops.mean(self.conv(images), axis=(1, 2)))


def own_class() -> keras.Model:
    model = OwnClass()
    model(np.zeros((1, SIDE, SIDE, 1), dtype="float32"))
    return model


def dense_only() -> keras.Model:
    return keras.Sequential(
        [layers.Input((SIDE, SIDE, 1)), layers.Flatten(), layers.Dense(2, activation="softmax")]
    )


def two_inputs() -> keras.Model:
    inputs = [layers.Input((SIDE, SIDE, 1)) for _ in range(2)]
    features = layers.Flatten()(layers.Conv2D(1, 1)(layers.Concatenate()(inputs)))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(features))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (own_class, "of a class of its own"),
        (dense_only, "has no convolution"),
        (two_inputs, "several inputs"),
        (
            lambda: linear_network(np.ones((2, 2)), units_end="linear"),
            "no softmax or sigmoid of its own",
        ),
    ],
)
def test_model_without_a_map_says_why(make: Any, reason: str) -> None:
    with pytest.raises(NoSaliencyError, match=reason):
        sensitive_convolution(make())


def test_backend_without_gradients_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saliency, "backend", neutral.BACKEND)
    with pytest.raises(NoSaliencyError, match="gives no gradients"):
        grad_cam(linear_network(np.ones((2, 2))), bright_square(0, 0), [0])
