"""Networks with weights of every origin.

The same numbers as keras.applications', or a clear refusal.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from tests.models.backbones.networks import (
    TINY,
    VALUES,
    notop,
    patch_download,
    raw_images,
    tiny_efficientnet,
    write_h5,
)
from tuner.models.backbones.catalog import BACKBONES, Backbone
from tuner.models.backbones.network import build_network
from tuner.models.backbones.weights import NoPretrainedWeightsError, WeightsError

pytestmark = pytest.mark.slow


def features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(network(images, training=False))


def reference(
    backbone: Backbone, path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str = "avg"
) -> keras.Model:
    """What keras.applications makes of a download."""
    patch_download(monkeypatch, path)
    build = getattr(keras.applications, backbone.application)
    return build(include_top=False, weights="imagenet", input_shape=(32, 32, 3), pooling=pooling)


def test_b2_from_a_file_equals_keras_own_download_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_h5(notop(keras.applications.EfficientNetB2), tmp_path / "efficientnetb2_notop.h5")
    backbone, images = BACKBONES["efficientnet_b2"], raw_images()
    found = features(build_network(backbone, VALUES | {"weights": str(path)}), images)
    wanted = features(reference(backbone, path, monkeypatch), images)
    assert found.shape == (4, backbone.n_features)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("origin", ["path", "imagenet"])
def test_file_and_download_give_the_features_of_keras_bit_for_bit(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, origin: str, pooling: str
) -> None:
    wanted = features(reference(TINY, tiny_weights, monkeypatch, pooling), raw_images())
    values = VALUES | {
        "weights": "imagenet" if origin == "imagenet" else str(tiny_weights),
        "pooling": pooling,
    }
    np.testing.assert_array_equal(features(build_network(TINY, values), raw_images()), wanted)


def test_rescaling_that_keras_leaves_out_matters(tiny_weights: Path) -> None:
    plain = tiny_efficientnet(
        include_top=False, weights=str(tiny_weights), input_shape=(32, 32, 3), pooling="avg"
    )
    ours = build_network(TINY, VALUES | {"weights": str(tiny_weights)})
    assert np.abs(features(ours, raw_images()) - features(plain, raw_images())).max() > 1e-3


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_files_of_keras_3_are_read_too(tiny_weights: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tiny{suffix}"
    network = notop(tiny_efficientnet)
    network.save(path) if suffix == ".keras" else network.save_weights(path)
    found = features(build_network(TINY, VALUES | {"weights": str(path)}), raw_images())
    wanted = features(build_network(TINY, VALUES | {"weights": str(tiny_weights)}), raw_images())
    np.testing.assert_array_equal(found, wanted)


def test_v2_from_a_file_equals_keras_own_download_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_h5(
        notop(keras.applications.EfficientNetV2B0), tmp_path / "efficientnetv2-b0_notop.h5"
    )
    backbone = BACKBONES["efficientnet_v2_b0"]
    found = features(build_network(backbone, VALUES | {"weights": str(path)}), raw_images())
    np.testing.assert_array_equal(
        found, features(reference(backbone, path, monkeypatch), raw_images())
    )


def test_network_from_scratch_is_that_of_keras_and_trains_whole() -> None:
    network = build_network(TINY, VALUES)
    assert network.input_shape == (None, 32, 32, 3)
    assert network.output_shape == (None, TINY.n_features)
    assert [layer.name for layer in network.layers if "conv" in layer.name][:2] == [
        "stem_conv_pad",
        "stem_conv",
    ]
    assert all(layer.trainable for layer in network.layers)


@pytest.mark.parametrize(
    "backbone",
    [TINY, *(BACKBONES[name] for name in ("mobilenet_v3_small", "convnext_tiny"))],
    ids=lambda backbone: backbone.name,
)
def test_failed_download_is_one_clear_line_and_a_remedy(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> str:
        raise Exception(
            "URL fetch failure on https://storage.example/weights: None -- no network\nmore"
        )

    monkeypatch.setattr(file_utils, "get_file", refuse)
    with pytest.raises(NoPretrainedWeightsError) as caught:
        build_network(backbone, VALUES | {"weights": "imagenet"})
    assert str(caught.value) == (
        f"{backbone.title}: its ImageNet weights are not in Keras' cache and cannot be"
        " downloaded: URL fetch failure on https://storage.example/weights: None -- no"
        " network\n  Fix: connect to the network once, give a file with `weights: PATH`, or"
        " use the model efficientnet_lite2, whose weights come with the installation."
    )


def wrong_file(kind: str, folder: Path) -> Path:
    suffix = ".weights.h5" if kind.endswith("Keras 3") else ".h5"
    path = folder / f"wrong{suffix}"
    if kind == "damaged":
        path.write_bytes(b"no HDF5")
        return path
    options = {"include_top": True, "classes": 3} if kind == "with top" else {"width": 0.2}
    network = notop(tiny_efficientnet, **options)
    if suffix == ".h5":
        return write_h5(network, path)
    network.save_weights(path)
    return path


@pytest.mark.parametrize("kind", ["damaged", "with top", "other network", "other network, Keras 3"])
def test_wrong_file_is_refused_in_two_lines(tmp_path: Path, kind: str) -> None:
    path = wrong_file(kind, tmp_path)
    with pytest.raises(WeightsError) as caught:
        build_network(TINY, VALUES | {"weights": str(path)})
    first, second = str(caught.value).splitlines()
    assert first.startswith(f'weights "{path}" are not those of Tiny without its classifier: ')
    assert len(first) > len(f'weights "{path}" are not those of Tiny without its classifier: ')
    assert (
        second == "  Fix: give a file for Tiny that was saved with include_top=False, such as"
        " keras.applications' own that end in _notop.h5."
    )
