"""Classifiers on a backbone.

The known traps of transfer learning, each with a test, and what becomes of a model.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.layers import BatchNormalization

from tests.images import image_spec
from tests.models.backbones.networks import TINY, VALUES, patch_download, raw_images
from tuner.backend.active import backend, plain_copy
from tuner.models.backbones.classifier import build, build_extractor, build_head, copy_head

pytestmark = pytest.mark.slow

RGB = image_spec(n_classes=3, side=32, channels=3)
GREY = image_spec(n_classes=3, side=8, channels=1)


@pytest.fixture
def pretrained(tiny_weights: Path) -> dict[str, Any]:
    """A frozen setting with weights from a file."""
    return VALUES | {"weights": str(tiny_weights)}


@pytest.fixture(scope="module")
def keras_own(tiny_weights: Path) -> keras.Model:
    """The network as keras.applications makes it of a download."""
    with pytest.MonkeyPatch.context() as patch:
        patch_download(patch, tiny_weights)
        return keras.applications.TinyEfficientNet(
            include_top=False, weights="imagenet", input_shape=(32, 32, 3), pooling="avg"
        )


def network_of(model: keras.Model) -> keras.Model:
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def outputs(model: keras.Model, images: np.ndarray, *, training: bool = False) -> np.ndarray:
    return np.asarray(model(images, training=training))


def test_pixels_go_in_as_0_255(pretrained: dict[str, Any], keras_own: keras.Model) -> None:
    found = outputs(build_extractor(TINY, pretrained, RGB), raw_images())
    np.testing.assert_array_equal(found, outputs(keras_own, raw_images()))
    # What the classic mistake would give.
    assert np.abs(found - outputs(keras_own, raw_images() / 255)).max() > 1e-3


def test_grey_images_become_rgb_by_repeating(
    pretrained: dict[str, Any], keras_own: keras.Model
) -> None:
    grey = raw_images(channels=1)
    found = outputs(build_extractor(TINY, pretrained, image_spec(side=32, channels=1)), grey)
    np.testing.assert_array_equal(found, outputs(keras_own, np.repeat(grey, 3, axis=-1)))


def test_small_images_are_enlarged_to_the_input_size(
    pretrained: dict[str, Any], keras_own: keras.Model
) -> None:
    grey = raw_images(side=8, channels=1)
    extractor = build_extractor(TINY, pretrained, GREY)
    assert extractor.input_shape == (None, 8, 8, 1)
    assert network_of(extractor).input_shape == (None, 32, 32, 3)
    enlarged = np.repeat(np.asarray(keras.layers.Resizing(32, 32)(grey)), 3, axis=-1)
    np.testing.assert_array_equal(outputs(extractor, grey), outputs(keras_own, enlarged))


def test_images_of_the_input_size_are_not_resized(pretrained: dict[str, Any]) -> None:
    model = build(TINY, pretrained, RGB)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Functional", "Dense"]


@pytest.mark.parametrize("unfreeze_blocks", [0, 2])
def test_network_that_has_learnt_runs_in_inference_mode_while_it_trains(
    pretrained: dict[str, Any], unfreeze_blocks: int
) -> None:
    model = build(TINY, pretrained | {"unfreeze_blocks": unfreeze_blocks}, RGB)
    assert any(isinstance(layer, keras.layers.Dropout) for layer in network_of(model).layers)
    # Keras hands `training=True` on to a network inside a model, even to one that was called with
    # `training=False`.
    found = outputs(model, raw_images(), training=True)
    np.testing.assert_array_equal(found, outputs(model, raw_images()))


def test_network_from_scratch_runs_in_training_mode_and_trains_whole() -> None:
    model = build(TINY, VALUES, RGB)
    assert (
        np.abs(outputs(model, raw_images(), training=True) - outputs(model, raw_images())).max()
        > 1e-3
    )
    n_norms = sum(isinstance(layer, BatchNormalization) for layer in network_of(model).layers)
    assert sum(v.path.endswith("gamma") for v in model.trainable_variables) == n_norms


def test_frozen_network_leaves_only_the_head_to_train(pretrained: dict[str, Any]) -> None:
    model = build(TINY, pretrained | {"dense_units": 5}, RGB)
    assert [v.path for v in model.trainable_variables] == [
        f"head_{part}" for part in ("dense/kernel", "dense/bias", "output/kernel", "output/bias")
    ]
    assert not build_extractor(TINY, pretrained, RGB).trainable_variables


def test_whole_blocks_are_unfrozen_from_the_top_but_no_batch_normalization(
    pretrained: dict[str, Any],
) -> None:
    network = network_of(build(TINY, pretrained | {"unfreeze_blocks": 2}, RGB))
    with_weights = {layer.name for layer in network.layers if layer.weights}
    norms = {layer.name for layer in network.layers if isinstance(layer, BatchNormalization)}
    expected = {
        name for name in with_weights - norms if name.startswith(("top_", "block7", "block6"))
    }
    assert {layer.name for layer in network.layers if layer.trainable_variables} == expected
    assert {
        "top_conv",
        "block6a_expand_conv",
        "block6b_project_conv",
        "block7a_se_reduce",
    } <= expected
    assert {"block6a_bn", "top_bn", "block5a_dwconv"} <= with_weights - expected


def test_fine_tuning_changes_the_unfrozen_convolutions_and_nothing_else(
    pretrained: dict[str, Any],
) -> None:
    model = build(TINY, pretrained | {"unfreeze_blocks": 1}, RGB)
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    network = network_of(model)
    before = {layer.name: layer.get_weights() for layer in network.layers}
    model.train_on_batch(raw_images(), np.array([0, 1, 2, 0]))
    changed = {
        layer.name
        for layer in network.layers
        if any(
            not np.array_equal(old, new)
            for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
        )
    }
    expected = {
        "top_conv",
        *(f"block7a_{part}" for part in ("expand_conv", "dwconv", "project_conv")),
    }
    assert changed == expected | {"block7a_se_reduce", "block7a_se_expand"}


def test_head_is_an_optional_dense_layer_an_optional_dropout_and_a_softmax() -> None:
    full = build_head(TINY, VALUES | {"dense_units": 5, "dropout": 0.3}, RGB)
    assert [layer.name for layer in full.layers[1:]] == [
        "head_dense",
        "head_dropout",
        "head_output",
    ]
    assert full.input_shape == (None, TINY.n_features)
    assert (full.layers[1].units, full.layers[2].rate) == (5, 0.3)
    assert full.layers[1].activation is keras.activations.relu
    bare = build_head(TINY, VALUES, RGB)
    assert [layer.name for layer in bare.layers[1:]] == ["head_output"]
    assert bare.layers[1].activation is keras.activations.softmax
    assert bare.output_shape == (None, 3)


def test_head_trained_on_features_goes_into_the_whole_model(pretrained: dict[str, Any]) -> None:
    values = pretrained | {"dense_units": 5, "dropout": 0.3, "unfreeze_blocks": 1}
    head, whole = build_head(TINY, values, GREY), build(TINY, values, GREY)
    grey = raw_images(side=8, channels=1)
    wanted = outputs(head, outputs(build_extractor(TINY, values, GREY), grey))
    assert np.abs(outputs(whole, grey) - wanted).max() > 1e-3
    copy_head(head, whole)
    np.testing.assert_allclose(outputs(whole, grey), wanted, atol=1e-6)
    saved = plain_copy(build(TINY, values, GREY))
    copy_head(head, saved)
    np.testing.assert_allclose(outputs(saved, grey), wanted, atol=1e-6)


@pytest.mark.parametrize("unfreeze_blocks", [0, 1])
def test_model_is_saved_with_keras_layers_only_and_predicts_the_same(
    pretrained: dict[str, Any], tmp_path: Path, unfreeze_blocks: int
) -> None:
    model = build(TINY, pretrained | {"dropout": 0.3, "unfreeze_blocks": unfreeze_blocks}, GREY)
    grey = raw_images(side=8, channels=1)
    copy = plain_copy(model)
    assert copy is not model
    np.testing.assert_array_equal(outputs(copy, grey), outputs(model, grey))
    copy.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert b"tuner" not in archive.read("config.json")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(outputs(loaded, grey), outputs(model, grey))


def test_network_from_scratch_normalises_in_the_backends_way_and_its_copy_in_keras_own() -> None:
    keras.utils.set_random_seed(0)
    model = build(TINY, VALUES, RGB)
    norms = [layer for layer in network_of(model).layers if isinstance(layer, BatchNormalization)]
    assert norms
    assert {type(layer) for layer in norms} == {backend.BatchNormalization}
    # Moves their statistics away from those of the start.
    outputs(model, raw_images(), training=True)
    copy = plain_copy(model)
    layers = [*copy.layers, *network_of(copy).layers]
    assert all(type(layer).__module__.startswith("keras.") for layer in layers)
    np.testing.assert_array_equal(outputs(copy, raw_images()), outputs(model, raw_images()))


def test_network_from_scratch_trains_as_one_of_keras_own_layers() -> None:
    trained = []
    for is_ours in (True, False):
        keras.utils.set_random_seed(0)
        model = build(TINY, VALUES, RGB)
        model = model if is_ours else plain_copy(model)
        for layer in network_of(model).layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
            if isinstance(layer, BatchNormalization):
                # The statistics of the batch, and nothing of those before.
                layer.momentum = 0.0
        model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        images = raw_images()
        model.train_on_batch(images, np.arange(len(images)) % 3)
        trained.append([np.asarray(v) for v in model.variables if v.dtype == "float32"])
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=5e-4)
