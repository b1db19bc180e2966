"""Whether arrays can be images and their labels, seen from their headers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from tuner.data.arrays.array_file import MOST_BY_COLUMNS_BYTES, Array, shape_words
from tuner.data.arrays.array_layout import image_layout
from tuner.data.arrays.array_names import ArrayPair
from tuner.data.decoding.image_settings import ImageSettings
from tuner.errors import DataError

# Of one label; NumPy gives each the room of the longest.
_MOST_LABEL_BYTES = 4096
# Of rows of zeros and a one; the largest set of classes in use, ImageNet-21k's, has 21,841.
_MOST_CLASSES = 65_536


def check_pair(
    arrays: Mapping[str, Array], path: Path, pair: ArrayPair, settings: ImageSettings
) -> None:
    """Make sure that images and labels fit the card and each other.

    Raises:
        DataError: If they do not.
    """
    x_name, y_name = pair.images, pair.labels
    layout = image_layout(arrays[x_name], f"{path.name}, {x_name}")
    shape = (layout.height, layout.width, 3 if layout.channels == 4 else layout.channels)
    if shape != settings.shape:
        raise DataError(
            f"{path.name}, {x_name}: images are {shape_words(shape)}; expected"
            f" {shape_words(settings.shape)}",
            "correct image: in the card.",
        )
    n_images, labels = arrays[x_name].shape[0], arrays[y_name].shape
    is_row_each = len(labels) == 2 and labels[0] == n_images
    is_number_each = math.prod(labels) == n_images and (len(labels) != 2 or 1 in labels)
    if not is_row_each and not is_number_each:
        raise DataError(
            f"{path.name}: {x_name} has {n_images:,} images, but {y_name} has {math.prod(labels):,}"
            " labels",
            "save one label for each image.",
        )
    if is_row_each and labels[1] > _MOST_CLASSES:
        raise DataError(
            f"{path.name}, {y_name}: {labels[1]:,} labels for each image; at most"
            f" {_MOST_CLASSES:,} can be read",
            "save one whole number, or the name of its class, for each image.",
        )
    kind, n_bytes = arrays[y_name].dtype.kind, arrays[y_name].dtype.itemsize
    if kind not in "biufUS" or n_bytes > _MOST_LABEL_BYTES:
        raise DataError(
            f"{path.name}, {y_name}: labels are of type {str(arrays[y_name].dtype)[:60]}; "
            "expected whole numbers or short text",
            "save one whole number, or the name of its class, for each image.",
        )
    for name in (x_name, y_name):
        n_bytes = math.prod(arrays[name].shape) * arrays[name].dtype.itemsize
        if arrays[name].by_columns and n_bytes > MOST_BY_COLUMNS_BYTES:
            raise DataError(
                f"{path.name}, {name}: it takes {n_bytes / 1e9:,.1f} GB in Fortran's order; at most"
                f" {MOST_BY_COLUMNS_BYTES / 1e9:g} GB can be read so",
                "save it by rows: numpy.ascontiguousarray(x).",
            )
