"""DINOv2's published weights, from the safetensors files of their authors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from tuner.models.backbones import dinov2
from tuner.models.backbones.catalog import Backbone
from tuner.models.backbones.dinov2 import PATCH, Size
from tuner.models.backbones.download import downloaded
from tuner.models.backbones.published_weights import DOWNLOADS
from tuner.models.backbones.weights import WeightsError
from tuner.records.error_text import first_line, short_line
from tuner.space.vocabulary import Pooling

# Stands in for patches while the network is trained to fill gaps.
_UNUSED = "embeddings.mask_token"


def build_network(backbone: Backbone, weights: str, side: int, pooling: Pooling) -> keras.Model:
    """Build the network of `dinov2.build` with the weights that a setting states.

    Args:
        backbone: One of `dinov2.SIZES`.
        weights: `imagenet`: the published ones, downloaded once; `none`; or the path of a file.
        side: Of the images in pixels.
        pooling: Over the tokens of all patches.

    Raises:
        NoPretrainedWeightsError: If the published ones are not to be had.
        WeightsError: If a file does not hold the weights of this network.
    """
    size = dinov2.SIZES[backbone.name]
    network = dinov2.build(backbone.name, size, side, pooling)
    if weights != "none":
        is_own = weights != "imagenet"
        path = Path(weights) if is_own else downloaded(backbone.name)
        try:
            put_tensors(network, size, read_tensors(path))
        except _MismatchError as error:
            hint = "give" if is_own else "delete the file, so that it is downloaded again, or give"
            raise WeightsError(
                f'weights "{path}" are not those of {backbone.title}: {error}',
                f"{hint} a model.safetensors from {DOWNLOADS[backbone.name].page}.",
            ) from error
    return network


class _MismatchError(Exception):
    """Why tensors are not those of a network."""


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read a file of named tensors, which cannot hold code.

    Raises:
        _MismatchError: If it is damaged, or no such file.
    """
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    # What the library raises for a damaged file, or types that NumPy lacks, is of many kinds.
    except Exception as error:
        raise _MismatchError(first_line(error)) from error


def put_tensors(network: keras.Model, size: Size, tensors: Mapping[str, np.ndarray]) -> None:
    """Give a network the weights of a file; positions are interpolated to its number of patches.

    Args:
        network: Of `dinov2.build`.
        size: The same as of the network.
        tensors: By the names of Hugging Face's `Dinov2Model`, in PyTorch's layout.

    Raises:
        _MismatchError: If a tensor is missing, is one too many, has another shape than its layer,
            or holds a number that is not finite.
    """
    left = _Tensors({name: one for name, one in tensors.items() if name != _UNUSED})
    _put(network, "tokens", _projection(left, size.width, network.input_shape[1] // PATCH))
    for i in range(size.n_blocks):
        _put_block(network, size, left, i)
    _put(network, "top_norm", left.pair("layernorm", size.width))
    left.check_empty()


class _Tensors:
    """Tensors of a file, each taken once."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        self._left = dict(tensors)

    def take(self, name: str, *shape: int) -> np.ndarray:
        """One of them; -1 allows any number."""
        if name not in self._left:
            raise _MismatchError(f"there is no tensor {name}")
        tensor = np.asarray(self._left.pop(name), dtype="float32")
        is_fitting = tensor.ndim == len(shape) and all(
            wanted in (-1, n) for n, wanted in zip(tensor.shape, shape, strict=True)
        )
        if not is_fitting:
            raise _MismatchError(f"tensor {name} has the shape {tensor.shape}; expected {shape}")
        if not np.isfinite(tensor).all():
            raise _MismatchError(f"tensor {name} holds numbers that are not finite")
        return tensor

    def pair(self, name: str, width: int) -> list[np.ndarray]:
        """Scale and offset of a normalization."""
        return [self.take(f"{name}.weight", width), self.take(f"{name}.bias", width)]

    def dense(self, name: str, n_in: int, n_out: int) -> list[np.ndarray]:
        """Kernel and bias; PyTorch's kernels are (out, in)."""
        kernel = self.take(f"{name}.weight", n_out, n_in).T
        return [kernel, self.take(f"{name}.bias", n_out)]

    def check_empty(self) -> None:
        if self._left:
            raise _MismatchError(f"tensor {short_line(min(self._left))} belongs to no layer")


def _put(network: keras.Model, layer: str, weights: list[np.ndarray]) -> None:
    variables = network.get_layer(layer).weights
    for variable, values in zip(variables, weights, strict=True):
        variable.assign(values.reshape(variable.shape))


def _projection(tensors: _Tensors, width: int, n: int) -> list[np.ndarray]:
    """Kernel and bias of the layer `tokens`, for `n` x `n` patches."""
    start = "embeddings.patch_embeddings.projection"
    kernel = tensors.take(f"{start}.weight", width, 3, PATCH, PATCH).transpose(2, 3, 1, 0)
    bias = tensors.take(f"{start}.bias", width)
    positions = tensors.take("embeddings.position_embeddings", 1, -1, width)[0]
    class_token = tensors.take("embeddings.cls_token", 1, 1, width)[0]
    of_patches = _interpolated(positions[1:], n) + bias
    return [kernel.reshape(-1, width), np.concatenate([class_token + positions[:1], of_patches])]


def _interpolated(positions: np.ndarray, n: int) -> np.ndarray:
    """A square table of positions (m * m, width) for `n` x `n` patches, as KerasHub's."""
    m = math.isqrt(len(positions))
    if m * m != len(positions) or not m:
        raise _MismatchError(f"{len(positions)} positions are not a square of patches")
    if m == n:
        return positions
    table = positions.reshape(m, m, -1)
    resized = keras.ops.image.resize(table, (n, n), "bicubic", data_format="channels_last")
    found: np.ndarray = keras.ops.convert_to_numpy(resized)
    return found.reshape(n * n, -1)


def _put_block(network: keras.Model, size: Size, tensors: _Tensors, i: int) -> None:
    ours, theirs, width = f"block{i + 1}_", f"encoder.layer.{i}", size.width
    _put(network, f"{ours}attention_norm", tensors.pair(f"{theirs}.norm1", width))
    attention = [
        one
        for name in ("query", "key", "value")
        for one in tensors.dense(f"{theirs}.attention.attention.{name}", width, width)
    ]
    out = tensors.dense(f"{theirs}.attention.output.dense", width, width)
    scale = tensors.take(f"{theirs}.layer_scale1.lambda1", width)
    _put(network, f"{ours}attention", [*attention, *(one * scale for one in out)])
    _put(network, f"{ours}mlp_norm", tensors.pair(f"{theirs}.norm2", width))
    _put(network, f"{ours}mlp_expand", tensors.dense(f"{theirs}.mlp.fc1", width, 4 * width))
    out = tensors.dense(f"{theirs}.mlp.fc2", 4 * width, width)
    scale = tensors.take(f"{theirs}.layer_scale2.lambda1", width)
    _put(network, f"{ours}mlp_project", [one * scale for one in out])
