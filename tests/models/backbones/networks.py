"""A small network of keras.applications' own code, and files of weights as Keras offers them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications.efficientnet import EfficientNet
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from tuner.models.backbones.catalog import Backbone

TINY = Backbone(
    name="tiny",
    title="Tiny",
    application="TinyEfficientNet",
    input_size=32,
    n_features=128,
    blocks=tuple((f"block{i}",) for i in range(7, 0, -1)),
    has_lost_rescaling=True,
)
VALUES = {
    "weights": "none",
    "input_size": 32,
    "pooling": "avg",
    "dense_units": 0,
    "dropout": 0.0,
    "unfreeze_blocks": 0,
}

_MEAN, _VARIANCE = (0.485, 0.456, 0.406), (0.229**2, 0.224**2, 0.225**2)


def tiny_efficientnet(width: float = 0.1, **options: Any) -> keras.Model:
    """A share of EfficientNetB0's width, one block per stage but for the sixth."""
    return EfficientNet(width, 0.3, 32, name="tiny", weights_name="b0", **options)


def notop(build: Callable[..., keras.Model], **options: Any) -> keras.Model:
    """A network of random weights, but for the normalization of pixels, which its files hold."""
    keras.utils.set_random_seed(0)
    options = {"include_top": False, "input_shape": (32, 32, 3)} | options
    network = build(weights=None, **options)
    generator = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.set_weights([np.array(_MEAN), np.array(_VARIANCE), np.array(0)])
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [generator.uniform(0.5, 1.5, one.shape) for one in layer.get_weights()]
            )
    return network


def write_h5(network: keras.Model, path: Path) -> Path:
    """Save weights in the layout of keras.applications' downloads."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return path


def patch_download(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let Keras' download give a file that is there."""
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: str(path))


def raw_images(n: int = 4, side: int = 32, channels: int = 3) -> np.ndarray:
    """Noise over the whole range of 0-255."""
    return np.random.default_rng(1).integers(0, 256, (n, side, side, channels)).astype("float32")
