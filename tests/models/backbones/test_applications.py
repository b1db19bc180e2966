"""Networks of keras.applications that are not EfficientNet, and its largest of the second kind.

Each has its own scale of pixels, its own names of layers, and layers that the others lack.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.images import image_spec
from tests.models.backbones.networks import VALUES, notop, patch_download, raw_images, write_h5
from tuner.backend.active import plain_copy
from tuner.models.backbones.catalog import BACKBONES, Backbone
from tuner.models.backbones.classifier import build
from tuner.models.backbones.network import build_network

pytestmark = pytest.mark.slow

Scale = Callable[[np.ndarray], np.ndarray]

# What each paper's code does with pixels of 0-255.
SCALES: dict[str, Scale] = {
    "efficientnet_v2_s": lambda images: images / 128 - 1,
    "mobilenet_v3_small": lambda images: images / 127.5 - 1,
    "mobilenet_v3_large": lambda images: images / 127.5 - 1,
    "convnext_tiny": lambda images: (
        (images / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    ).astype("float32"),
}
RGB = image_spec(n_classes=3, side=32, channels=3)


@pytest.fixture(scope="module", params=list(SCALES))
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return BACKBONES[request.param]


@pytest.fixture(scope="module")
def network(backbone: Backbone) -> keras.Model:
    """With random weights."""
    keras.utils.set_random_seed(0)
    return build_network(backbone, VALUES)


@pytest.fixture(scope="module")
def weights(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random ones, as a file of keras.applications without the classifier."""
    path = tmp_path_factory.mktemp("weights") / f"{backbone.name}_notop.h5"
    return write_h5(notop(application(backbone)), path)


def application(backbone: Backbone) -> Callable[..., keras.Model]:
    build_application: Callable[..., keras.Model] = getattr(
        keras.applications, backbone.application
    )
    return build_application


def features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(network(images, training=False))


def network_of(model: keras.Model) -> keras.Model:
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def test_download_gives_the_features_of_keras_own_pipeline(
    backbone: Backbone, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch_download(monkeypatch, weights)
    module = {
        "efficientnet_v2_s": keras.applications.efficientnet_v2,
        "convnext_tiny": keras.applications.convnext,
    }.get(backbone.name, keras.applications.mobilenet_v3)
    theirs = application(backbone)(
        include_top=False, weights=str(weights), input_shape=(32, 32, 3), pooling="avg"
    )
    found = features(build_network(backbone, VALUES | {"weights": "imagenet"}), raw_images())
    assert found.shape == (4, backbone.n_features)
    np.testing.assert_array_equal(found, features(theirs, module.preprocess_input(raw_images())))


def test_pixels_of_0_255_are_scaled_as_each_paper_does(
    backbone: Backbone, network: keras.Model
) -> None:
    learnt = [bool(layer.trainable_weights) for layer in network.layers]
    last_scaling = network.layers[learnt.index(True) - 1]
    scaled = features(keras.Model(network.input, last_scaling.output), raw_images())
    np.testing.assert_allclose(scaled, SCALES[backbone.name](raw_images()), atol=1e-5)


def test_blocks_are_apart_and_hold_all_but_the_stem(
    backbone: Backbone, network: keras.Model
) -> None:
    names = [layer.name for layer in network.layers if layer.weights]
    held = [
        {name for name in names if backbone.is_unfrozen(name, n)}
        for n in range(len(backbone.blocks) + 1)
    ]
    assert held[0] == set()
    sizes = [len(more - before) for before, more in pairwise(held)]
    assert min(sizes) > 1
    assert all(before < more for before, more in pairwise(held))
    left = [name for name in names if name not in held[-1]]
    assert left == {
        "efficientnet_v2_s": ["stem_conv", "stem_bn"],
        "convnext_tiny": ["convnext_tiny_stem"],
    }.get(backbone.name, ["conv", "conv_bn"])
    assert names[-1] in held[1]


# EfficientNetV2S has EfficientNet's layers, and takes the longest.
@pytest.mark.parametrize(
    "backbone", [name for name in SCALES if name != "efficientnet_v2_s"], indirect=True
)
def test_one_step_changes_the_last_block_alone_and_the_model_is_saved_plainly(
    backbone: Backbone, weights: Path, tmp_path: Path
) -> None:
    values = VALUES | {"weights": str(weights), "unfreeze_blocks": 1, "dropout": 0.3}
    model = build(backbone, values, RGB)
    before = {layer.name: layer.get_weights() for layer in network_of(model).layers}
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(raw_images(), np.array([0, 1, 2, 0])))
    changed = {
        layer.name
        for layer in network_of(model).layers
        if any(
            not np.array_equal(old, new)
            for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
        )
    }
    assert changed
    assert all(backbone.is_unfrozen(name, 1) for name in changed)
    copy = plain_copy(model)
    wanted = features(model, raw_images())
    np.testing.assert_array_equal(features(copy, raw_images()), wanted)
    copy.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert b"tuner" not in archive.read("config.json")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(features(loaded, raw_images()), wanted)


# EfficientNetV2S has EfficientNet's layers, and takes the longest.
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "convnext_tiny"])
def test_whole_network_trains_from_scratch(name: str, tmp_path: Path) -> None:
    model = build(BACKBONES[name], VALUES, RGB)
    network = network_of(model)
    assert all(layer.trainable for layer in network.layers)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True)
    stem = next(layer for layer in network.layers if layer.weights)
    before = stem.get_weights()[0]
    assert np.isfinite(model.train_on_batch(raw_images(), np.array([0, 1, 2, 0])))
    assert not np.array_equal(before, stem.get_weights()[0])
    copy = plain_copy(model)
    copy.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(features(loaded, raw_images()), features(model, raw_images()))
