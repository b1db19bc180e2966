"""EfficientNetB2 with weights that a patched download gives: random ones, in the file format of the real ones."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from tests.images import banded_images, image_spec
from tuner.models.efficientnet import NoPretrainedWeightsError, build_extractor, build_head, join
from tuner.models.registry import build

VALUES = {"input_size": 32, "dropout": 0.2}


@pytest.fixture(scope="module")
def scratch() -> keras.Model:
    """The network with random weights, for images of the size that it wants."""
    keras.utils.set_random_seed(0)
    return build("efficientnet_b2", VALUES, image_spec(n_classes=3, side=32, channels=3))


@pytest.fixture(scope="module")
def weights(scratch: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights without the top, as keras.applications downloads them."""
    network = next(layer for layer in scratch.layers if isinstance(layer, keras.Model))
    path = tmp_path_factory.mktemp("weights") / "efficientnetb2_notop.weights.h5"
    network.save_weights(path)
    return path


def test_scratch_network_takes_pixels_of_0_255_and_gives_probabilities(scratch: keras.Model) -> None:
    assert scratch.input_shape == (None, 32, 32, 3)
    assert scratch.output_shape == (None, 3)
    # The network rescales inside; a layer of ours that did so too would be here.
    assert [type(layer).__name__ for layer in scratch.layers] == ["InputLayer", "Functional", "Dropout", "Dense"]
    assert scratch.trainable_weights


def test_missing_weights_are_an_error_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> str:
        raise Exception("URL fetch failure on https://storage.example/weights: None -- no network")

    monkeypatch.setattr(file_utils, "get_file", refuse)
    with pytest.raises(NoPretrainedWeightsError, match="URL fetch failure"):
        build_extractor(VALUES, image_spec(side=32, channels=3))


def test_extractor_gives_the_features_of_keras_own_model(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: str(weights))
    spec = image_spec(side=8)
    images = banded_images(3, spec)[0].astype("float32")
    extractor = build_extractor(VALUES, spec)
    found = np.asarray(extractor(images))
    reference = keras.applications.EfficientNetB2(
        include_top=False, weights="imagenet", input_shape=(32, 32, 3), pooling="avg"
    )
    rgb = keras.layers.Resizing(32, 32)(np.repeat(images, 3, axis=-1))
    wanted = np.asarray(reference(rgb, training=False))
    assert found.shape == (3, 1408)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())
    # Dividing by 255 before would be the classic silent mistake.
    assert np.abs(found - np.asarray(reference(rgb / 255, training=False))).max() > 0.01 * np.abs(wanted).max()
    assert not extractor.trainable_weights

    head = build_head(VALUES, spec)
    joined = join(extractor, head)
    assert joined.input_shape == (None, 8, 8, 1)
    np.testing.assert_allclose(np.asarray(joined(images)), np.asarray(head(found)), atol=1e-5)
