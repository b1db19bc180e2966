"""Tiny seeded data sets in every format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tuner.data.cards.card import Card


def make_card(files: dict[str, Any], size: int = 4, channels: int = 1, **fields: Any) -> Card:
    """A card named "tiny" for square images."""
    image = {"height": size, "width": size, "channels": channels}
    return Card.model_validate(
        {"name": "tiny", "title": "Tiny", "files": files, "image": image} | fields
    )


def random_images(
    n: int, size: int = 4, channels: int = 1, seed: int = 0
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Images of noise, (n, size, size, channels)."""
    return np.random.default_rng(seed).integers(
        0, 256, size=(n, size, size, channels), dtype=np.uint8
    )


def write_fer(
    path: Path, labels: Sequence[Any], usage: list[str] | None = None, seed: int = 0
) -> list[str]:
    """Write a FER-style CSV of 4 x 4 images; its lines are returned, too."""
    lines = ["emotion,pixels,Usage" if usage else "emotion,pixels"]
    for row, (label, image) in enumerate(
        zip(labels, random_images(len(labels), seed=seed), strict=True)
    ):
        pixels = " ".join(map(str, image.ravel()))
        lines.append(f'{label},"{pixels}"' + (f",{usage[row]}" if usage else ""))
    path.write_text("\n".join(lines) + "\n")
    return lines


def write_folders(root: Path, names: dict[str, int], size: int = 4, seed: int = 0) -> None:
    """Write PNG files, `names[folder]` of them into each folder."""
    for number, (name, n) in enumerate(names.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(random_images(n, size, 3, seed + number)):
            Image.fromarray(image).save(root / name / f"{i}.png")
