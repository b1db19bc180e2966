"""EfficientNet-Lite2's ImageNet weights.

They are converted from the PyTorch file of the package in the extra `lite`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from keras import layers

from tuner.extras import install_line
from tuner.models.backbones import lite2
from tuner.models.backbones.torch_file import read_tensors
from tuner.models.backbones.weights import LITE2_PACKAGE, NoPretrainedWeightsError, WeightsError
from tuner.space.vocabulary import Pooling
from tuner.store.files.whole_files import write_atomically

FILE = "efficientnet-lite2-9656183e.pth"
SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
# Of ImageNet's classifier, which is not used.
_CLASSIFIER = {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


def build_pretrained(input_size: int, pooling: Pooling) -> keras.Model:
    """Build the network of `lite2.build` with ImageNet weights.

    They are those converted before, else those of the package.

    Raises:
        NoPretrainedWeightsError: If the package is not installed.
        WeightsError: If its file is not the published one.
    """
    network = lite2.build(input_size, pooling)
    cached = _cache_folder() / f"efficientnet_lite2-{SHA256[:8]}.keras"
    if not _load(network, cached):
        put_tensors(network, read_tensors(_package_file(), SHA256))
        # A folder that cannot be written costs a conversion each time, no more.
        with suppress(OSError):
            _save(network, cached)
    return network


def put_tensors(network: keras.Model, tensors: Mapping[str, np.ndarray]) -> None:
    """Give the network the weights of a PyTorch file; the classifier's are left aside.

    Args:
        network: Of `lite2.build`.
        tensors: By PyTorch's names, in PyTorch's layout.

    Raises:
        WeightsError: If a tensor is missing, is one too many, or has another shape than its layer.
    """
    left = dict(tensors)
    for layer_name, torch_name in _layer_names():
        layer = network.get_layer(layer_name)
        if isinstance(layer, layers.BatchNormalization):
            names = [
                f"{torch_name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")
            ]
            axes: tuple[int, ...] = (0,)
            # How many batches it has seen, which Keras does not count.
            _take(left, f"{torch_name}.num_batches_tracked", ())
        else:
            names = [f"{torch_name}.weight"]
            # PyTorch's kernels are (out, in, height, width), a depthwise one (channels, 1, height,
            # width).
            axes = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
        for name, variable in zip(names, layer.weights, strict=True):
            shape = tuple(variable.shape[axes.index(i)] for i in range(len(axes)))
            variable.assign(np.transpose(_take(left, name, shape), axes))
    for name, shape in _CLASSIFIER.items():
        _take(left, name, shape)
    if left:
        raise _mismatch(f"tensor {min(left)} belongs to no layer")


def _layer_names() -> Iterator[tuple[str, str]]:
    """Names of each layer with weights, in Keras and in the file."""
    yield from (("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"))
    for i, block in enumerate(lite2.BLOCKS):
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


def _take(left: dict[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in left:
        raise _mismatch(f"there is no tensor {name}")
    tensor = left.pop(name)
    if tensor.shape != shape:
        raise _mismatch(f"tensor {name} has the shape {tensor.shape}; expected {shape}")
    return tensor


def _mismatch(reason: str) -> WeightsError:
    return WeightsError(
        f"EfficientNet-Lite2: {reason}",
        f"install the weights again: {install_line('lite')} --force-reinstall --no-deps",
    )


def _package_file() -> Path:
    spec = importlib.util.find_spec(LITE2_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or []:
        if (path := Path(folder) / "models" / FILE).is_file():
            return path
    raise NoPretrainedWeightsError(
        "EfficientNet-Lite2: its ImageNet weights are not installed",
        f"install them: {install_line('lite')}",
    )


def _cache_folder() -> Path:
    """Where keras.applications keeps its downloads."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "models"


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
