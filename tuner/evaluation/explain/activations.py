"""What a network's first convolutions make of one image per class."""

from __future__ import annotations

import keras
import numpy as np

from tuner.evaluation.explain.convolutions import convolutions, maps_of
from tuner.evaluation.explain.drawing import PictureFiles, strip, thumbnail
from tuner.records.pictures import ActivationMaps, ActivationRow

MAX_LAYERS = 2
MAX_CHANNELS = 8
MAX_CLASSES = 10


def first_of_each_class(labels: np.ndarray, rows: np.ndarray) -> list[int]:
    """Positions of the image with the lowest row of each class, of at most `MAX_CLASSES`."""
    order = np.argsort(rows, kind="stable")
    _, first = np.unique(labels[order], return_index=True)
    positions: list[int] = order[first][:MAX_CLASSES].tolist()
    return positions


def draw_activations(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    origins: list[str],
    n_classes: int,
    pictures: PictureFiles,
) -> ActivationMaps | None:
    """Draw the maps of the first `MAX_LAYERS` convolutions, of `MAX_CHANNELS` channels each.

    Args:
        model: The network.
        images: One per class, (n, height, width, channels), 0-255.
        labels: Their class numbers (n,).
        origins: Where they come from, (n,).
        n_classes: Classes in all.
        pictures: Takes the pictures.

    Returns:
        What was drawn; None where there is no image or no convolution.
    """
    chosen = convolutions(model)[:MAX_LAYERS]
    if not chosen or not len(images):
        return None
    maps = maps_of(model, chosen, images)
    rows = tuple(
        ActivationRow(
            truth=int(label),
            origin=origin,
            picture=pictures.add(f"class-{label + 1:02d}", thumbnail(image)),
            maps=tuple(
                pictures.add(
                    f"class-{label + 1:02d}-layer-{number}",
                    strip(layer_maps[i, ..., :MAX_CHANNELS]),
                )
                for number, layer_maps in enumerate(maps, start=1)
            ),
        )
        for i, (image, label, origin) in enumerate(zip(images, labels, origins, strict=True))
    )
    return ActivationMaps(
        layers=tuple(one.name for one in chosen),
        n_channels=tuple((min(MAX_CHANNELS, m.shape[3]), m.shape[3]) for m in maps),
        rows=rows,
        n_classes=n_classes,
    )
