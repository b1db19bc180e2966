"""DINOv2: features as KerasHub computes them, its files of weights, and classifiers on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import image_spec
from tests.models.backbones.dinov2_files import (
    TINY,
    random_tensors,
    some_images,
    write_tensors,
)
from tests.models.backbones.networks import VALUES
from tuner.models.backbones import dinov2
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.classifier import build
from tuner.models.backbones.download import downloaded
from tuner.models.backbones.network import build_network
from tuner.models.backbones.published_weights import DOWNLOADS
from tuner.models.backbones.weights import NoPretrainedWeightsError, WeightsError

pytestmark = pytest.mark.slow

# Two blocks of 24 numbers under the name of the small one.
BACKBONE = replace(
    BACKBONES["dinov2_small"],
    n_features=2 * TINY.width,
    blocks=(("block2_",), ("block1_",)),
)
RGB = image_spec(n_classes=3, side=56, channels=3)
PAGE = "https://huggingface.co/facebook/dinov2-small"

# Every sixth feature of the first image by keras-hub 0.32.0, printed by
# benchmarks/dinov2_reference.py: its own reader of these files and its own image converter.
CLASS_TOKEN = {
    56: [0.03743, -0.29414, -0.45259, -0.33188],
    84: [0.04034, -0.28421, -0.44787, -0.37027],
    112: [0.02918, -0.2832, -0.41878, -0.36186],
}
POOLED = {
    (56, "avg"): [0.05579, -0.36443, -0.33385, -0.34475],
    (56, "max"): [0.18908, 0.13743, 0.19622, 0.2998],
    (84, "avg"): [0.05568, -0.23933, -0.26942, -0.29214],
    (84, "max"): [0.20284, 0.40429, 0.65859, 0.57938],
    (112, "avg"): [0.05859, -0.2499, -0.28729, -0.33597],
    (112, "max"): [0.22231, 0.2484, 1.03356, 0.49195],
}


@pytest.fixture(autouse=True, scope="module")
def _tiny() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dinov2, "SIZES", {BACKBONE.name: TINY})
        yield


@pytest.fixture
def weights(tmp_path: Path) -> str:
    return str(write_tensors(random_tensors(TINY), tmp_path / "model.safetensors"))


def setting(weights: str, **changes: Any) -> dict[str, Any]:
    return VALUES | {"weights": weights, "input_size": 56} | changes


def outputs(model: keras.Model, images: np.ndarray, *, training: bool = False) -> np.ndarray:
    return np.asarray(model(images, training=training))


# Without interpolated positions, with fewer patches than in training, and with more.
@pytest.mark.parametrize(("side", "pooling"), POOLED)
def test_features_are_those_of_kerashub(weights: str, side: int, pooling: str) -> None:
    network = build_network(BACKBONE, setting(weights, input_size=side, pooling=pooling))
    found = outputs(network, some_images(side))
    assert found.shape == (2, BACKBONE.n_features)
    expected = CLASS_TOKEN[side] + POOLED[side, pooling]
    np.testing.assert_allclose(found[0, ::6], expected, atol=2e-5)


def test_images_are_resized_to_whole_patches(weights: str) -> None:
    model = build(BACKBONE, setting(weights, input_size=69), image_spec(side=80, channels=3))
    assert [layer.output.shape[1] for layer in model.layers[:2]] == [80, 56]


@pytest.mark.parametrize(("n_blocks", "trained"), [(0, set()), (1, {"block2", "top"})])
def test_only_the_last_blocks_and_the_head_train(
    weights: str, n_blocks: int, trained: set[str]
) -> None:
    model = build(BACKBONE, setting(weights, unfreeze_blocks=n_blocks), RGB)
    found = {one.path.partition("_")[0].rpartition("/")[2] for one in model.trainable_variables}
    assert found == {"head", *trained}
    images = some_images(56)
    np.testing.assert_array_equal(outputs(model, images, training=True), outputs(model, images))


def test_saved_model_loads_with_keras_alone(weights: str, tmp_path: Path) -> None:
    model = build(BACKBONE, setting(weights), RGB)
    (network,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    assert all(type(layer).__module__.startswith("keras.") for layer in network.layers)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    images = some_images(56)
    np.testing.assert_array_equal(outputs(loaded, images), outputs(model, images))


def test_network_from_scratch_has_random_weights() -> None:
    network = build_network(BACKBONE, setting("none"))
    first, second = outputs(network, some_images(56))
    assert np.isfinite(first).all()
    assert np.abs(first - second).max() > 0


def changed(**changes: np.ndarray | None) -> dict[str, np.ndarray]:
    """A file's tensors, with some of them replaced, or left out for None."""
    found = {**random_tensors(TINY), **changes}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


BROKEN = {
    "there is no tensor encoder.layer.1.mlp.fc2.bias": {"encoder.layer.1.mlp.fc2.bias": None},
    # Of a network with registers.
    "tensor embeddings.register_tokens belongs to no layer": {
        "embeddings.register_tokens": np.zeros((1, 4, 24), "float32")
    },
    "tensor layernorm.bias has the shape (25,); expected (24,)": {
        "layernorm.bias": np.zeros(25, "float32")
    },
    "tensor layernorm.bias has the shape (1, 24); expected (24,)": {
        "layernorm.bias": np.zeros((1, 24), "float32")
    },
    "tensor layernorm.bias holds numbers that are not finite": {
        "layernorm.bias": np.full(24, np.nan, "float32")
    },
    "35 positions are not a square of patches": {
        "embeddings.position_embeddings": np.zeros((1, 36, 24), "float32")
    },
}


@pytest.mark.parametrize("reason", BROKEN)
def test_file_of_another_network_is_refused_with_the_reason(tmp_path: Path, reason: str) -> None:
    path = write_tensors(changed(**BROKEN[reason]), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError) as caught:
        build_network(BACKBONE, setting(str(path)))
    assert (
        str(caught.value) == f'weights "{path}" are not those of DINOv2-Small: {reason}\n'
        f"  Fix: give a model.safetensors from {PAGE}."
    )


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(WeightsError, match=r"are not those of DINOv2-Small: .*header"):
        build_network(BACKBONE, setting(str(path)))


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of Keras' own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def patch_download(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> list[str]:
    """Let Keras' download write something, or fail half way; returns the addresses to be."""
    addresses: list[str] = []

    def get_file(name: str, origin: str, cache_dir: str, cache_subdir: str) -> str:
        addresses.append(origin)
        path = Path(cache_dir, cache_subdir, name)
        path.write_bytes(content if isinstance(content, bytes) else b"half")
        if isinstance(content, Exception):
            raise content
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    return addresses


def test_published_weights_are_downloaded_once(
    keras_home: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = patch_download(monkeypatch, Path(weights).read_bytes())
    found = [
        outputs(build_network(BACKBONE, setting(source)), some_images(56))
        for source in ("imagenet", "imagenet", weights)
    ]
    np.testing.assert_array_equal(found[0], found[2])
    revision = "ed25f3a31f01632728cabb09d1542f84ab7b0056"
    assert addresses == [f"{PAGE}/resolve/{revision}/model.safetensors"]
    assert [path.name for path in (keras_home / "models").iterdir()] == [
        "dinov2_small-ed25f3a3.safetensors"
    ]


def test_without_a_connection_the_error_says_what_to_do_and_leaves_nothing(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch_download(monkeypatch, Exception("URL fetch failure: no network\nmore"))
    with pytest.raises(NoPretrainedWeightsError) as caught:
        downloaded("dinov2_small")
    url = DOWNLOADS["dinov2_small"].url
    assert (
        str(caught.value) == "DINOv2-Small: its weights are not in Keras' cache and cannot be"
        " downloaded: URL fetch failure: no network\n"
        f"  Fix: connect to the network once, give the file {url} with `weights: PATH`, or take"
        " the model efficientnet_lite2, whose weights come with the installation."
    )
    assert not list((keras_home / "models").iterdir())


def test_damaged_copy_in_the_cache_is_to_be_deleted(keras_home: Path) -> None:
    file = DOWNLOADS["dinov2_small"].file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half")
    with pytest.raises(WeightsError, match="Fix: delete the file, so that it is downloaded again"):
        build_network(BACKBONE, setting("imagenet"))
