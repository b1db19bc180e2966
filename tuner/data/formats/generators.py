"""Data sets that need no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.cards.card import Card, Generated
from tuner.data.images import Allocate, Images, make_images
from tuner.errors import ConfigurationError


def sources(card: Card, data_root: Path) -> list[Path]:
    """No files."""
    return []


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Make the images that the card names; its class names stand in the order of the generator's labels.

    Raises:
        ConfigurationError: If the card states another image size, or another number of classes.
    """
    files = card.files
    assert isinstance(files, Generated)
    if files.generator == "digits":
        images, labels = _digits()
    else:
        from tuner.data.formats.drawn_faces import draw_faces

        images, labels = draw_faces(files.n or 3000, files.seed, card.image.height)
    names = card.class_numbers()
    n_classes = int(labels.max()) + 1
    if images.shape[1:] != card.image.shape or names is None or len(names[0]) != n_classes:
        made = " x ".join(map(str, images.shape[1:]))
        raise ConfigurationError(
            f"{card.name}: {files.generator} makes {made} images in {n_classes} classes, but the"
            " card says otherwise",
            "correct image and class_names in the card.",
        )
    pixels = allocate(len(images))
    pixels[:] = images
    return make_images(
        name=card.name,
        images=pixels,
        labels=labels,
        parts=[""] * len(labels),
        origins=[f"image {number}" for number in range(len(labels))],
        class_names=names[0],
    )


def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """scikit-learn's 1,797 handwritten digits (UCI), 8 x 8, brightness 0-16 stretched to 0-255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    return images[..., np.newaxis], bunch.target.astype(np.int64)
