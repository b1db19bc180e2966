"""Features of our DINOv2 against KerasHub's, of the same random weights and images.

    pip install keras-hub      # in an environment of its own: it adds 240 MB
    python -m benchmarks.dinov2_reference

KerasHub reads a folder as Hugging Face publishes it, with its own reader of that format, and scales
the pixels by its own image converter. Prints the largest difference for each size of the images and
pooling, and the numbers that tests/models/backbones/test_dinov2.py holds.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import keras_hub
import numpy as np

from tests.models.backbones.dinov2_files import (
    N_POSITIONS,
    TINY,
    random_tensors,
    some_images,
    write_tensors,
)
from tuner.models.backbones import dinov2
from tuner.models.backbones.dinov2_weights import put_tensors, read_tensors
from tuner.space.vocabulary import Pooling

_CONFIG = {
    "model_type": "dinov2",
    "architectures": ["Dinov2Model"],
    "patch_size": dinov2.PATCH,
    "num_hidden_layers": TINY.n_blocks,
    "hidden_size": TINY.width,
    "num_attention_heads": TINY.n_heads,
    "mlp_ratio": 4,
    "layerscale_value": 1.0,
    "use_swiglu_ffn": False,
    "hidden_dropout_prob": 0.0,
    "drop_path_rate": 0.0,
    "image_size": N_POSITIONS * dinov2.PATCH,
}
_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def main() -> None:
    """Print differences and numbers."""
    with TemporaryDirectory() as folder:
        path = write_tensors(random_tensors(TINY), Path(folder) / "model.safetensors")
        (Path(folder) / "config.json").write_text(json.dumps(_CONFIG))
        for side in (56, 84, 112):
            tokens = _keras_hub(folder, side)
            for pooling, pooled in (("avg", tokens[:, 1:].mean(1)), ("max", tokens[:, 1:].max(1))):
                theirs = np.concatenate([tokens[:, 0], pooled], axis=1)
                ours = _ours(path, side, pooling)
                print(side, pooling, "largest difference", np.abs(ours - theirs).max())
                print("   of numbers up to", np.abs(theirs).max())
                print("   first image", theirs[0, ::6].astype("float64").round(5).tolist())


def _keras_hub(folder: str, side: int) -> np.ndarray:
    """Tokens (2, 1 + patches, width)."""
    converter = keras_hub.layers.DINOV2ImageConverter(
        image_size=(side, side), scale=list(1 / (255 * _STD)), offset=list(-_MEAN / _STD)
    )
    backbone = keras_hub.models.DINOV2Backbone.from_preset(folder, image_shape=(side, side, 3))
    return np.asarray(backbone({"images": converter(some_images(side))}, training=False))


def _ours(path: Path, side: int, pooling: Pooling) -> np.ndarray:
    network: keras.Model = dinov2.build("tiny", TINY, side, pooling)
    put_tensors(network, TINY, read_tensors(path))
    return np.asarray(network(some_images(side), training=False))


if __name__ == "__main__":
    main()
