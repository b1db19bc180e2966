"""Files of DINOv2's weights with random numbers, by the names that their authors publish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tuner.models.backbones.dinov2 import PATCH, Size

TINY = Size(width=24, n_heads=3, n_blocks=2)
# Patches of a side in training; published are 37.
N_POSITIONS = 6


def random_tensors(size: Size, seed: int = 0, spread: float = 0.3) -> dict[str, np.ndarray]:
    """Every tensor of a file, in PyTorch's layout."""
    generator, width = np.random.default_rng(seed), size.width
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.cls_token": (1, 1, width),
        "embeddings.mask_token": (1, width),
        "embeddings.position_embeddings": (1, N_POSITIONS**2 + 1, width),
        "embeddings.patch_embeddings.projection.weight": (width, 3, PATCH, PATCH),
        "embeddings.patch_embeddings.projection.bias": (width,),
        "layernorm.weight": (width,),
        "layernorm.bias": (width,),
    }
    for i in range(size.n_blocks):
        shapes |= {f"encoder.layer.{i}.{name}": one for name, one in _block(width).items()}
    return {
        name: generator.normal(0, spread, shape).astype("float32")
        for name, shape in sorted(shapes.items())
    }


def _block(width: int) -> dict[str, tuple[int, ...]]:
    dense = {
        "attention.attention.query": (width, width),
        "attention.attention.key": (width, width),
        "attention.attention.value": (width, width),
        "attention.output.dense": (width, width),
        "mlp.fc1": (4 * width, width),
        "mlp.fc2": (width, 4 * width),
    }
    shapes: dict[str, tuple[int, ...]] = {"layer_scale1.lambda1": (width,)}
    shapes |= {"layer_scale2.lambda1": (width,)}
    for name in ("norm1", "norm2"):
        shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    for name, shape in dense.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def write_tensors(tensors: dict[str, np.ndarray], path: Path) -> Path:
    save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, path)
    return path


def some_images(side: int) -> np.ndarray:
    """Two images of 0-255, (2, side, side, 3)."""
    images = np.random.default_rng(1).integers(0, 256, (2, side, side, 3))
    return images.astype("float32")
