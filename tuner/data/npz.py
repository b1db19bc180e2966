"""NPZ files with arrays of images and labels."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.card import Card, Npz
from tuner.data.images import PARTS, Images, make_images
from tuner.data.labels import number_labels
from tuner.errors import DataError


def sources(card: Card, data_root: Path) -> list[Path]:
    """The files that the images are read from."""
    assert isinstance(card.files, Npz)
    return [data_root / card.files.path]


def read(card: Card, data_root: Path) -> Images:
    """Read the arrays; floats from 0 to 1 become 0 to 255.

    Raises:
        DataError: If arrays are missing, or their shapes, types or values cannot be those of images and labels.
    """
    path = sources(card, data_root)[0]
    arrays = open_arrays(path)
    blocks: list[NDArray[np.uint8]] = []
    labels: list[str] = []
    parts: list[str] = []
    origins: list[str] = []
    for part, x_name, y_name in part_names(arrays, path):
        images, given = to_images(arrays[x_name], f"{path.name}, {x_name}"), arrays[y_name].reshape(-1)
        if images.shape[1:] != card.image.shape:
            raise DataError(
                f"{path.name}, {x_name}: images are {_shape(images.shape[1:])}; expected {_shape(card.image.shape)}",
                "correct image: in the card.",
            )
        if len(given) != len(images):
            raise DataError(
                f"{path.name}: {x_name} has {len(images):,} images, but {y_name} has {len(given):,} labels",
                "save one label for each image.",
            )
        blocks.append(images)
        labels.extend(map(str, given.tolist()))
        parts.extend([part] * len(images))
        origins.extend(f"{x_name}[{row}]" for row in range(len(images)))
    translated = number_labels(card, labels, [f"{path.name}, {origin.replace('x', 'y', 1)}" for origin in origins])
    return make_images(
        name=card.name,
        images=np.concatenate(blocks),
        labels=translated.numbers,
        parts=parts,
        origins=origins,
        class_names=translated.names,
    )


def open_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of the file; pickled ones are refused, since unpickling runs whatever the file says.

    Raises:
        DataError: If it is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    # TypeError: a single array, saved by numpy.save, is no context manager.
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name}: it is not an NPZ of plain arrays", "save it with numpy.savez.") from error


def part_names(arrays: Mapping[str, Any], path: Path) -> list[tuple[str, str, str]]:
    """Part and names of the image and label arrays that belong to it.

    Raises:
        DataError: If there are neither x_train and y_train nor x and y.
    """
    found = [(part, f"x_{part}", f"y_{part}") for part in PARTS if f"x_{part}" in arrays and f"y_{part}" in arrays]
    if found and found[0][0] == "train":
        return found if len(found) > 1 else [("", "x_train", "y_train")]
    if "x" in arrays and "y" in arrays:
        return [("", "x", "y")]
    found_names = ", ".join(sorted(arrays)) or "none"
    raise DataError(
        f"{path.name}: expected the arrays x_train and y_train, or x and y; found {found_names}",
        "save it with numpy.savez(path, x=images, y=labels).",
    )


def to_images(array: NDArray[Any], where: str) -> NDArray[np.uint8]:
    """uint8 images (n, height, width, channels) from whole numbers 0 to 255 or floats 0 to 1; channels may be missing.

    Raises:
        DataError: If shape or values are others.
    """
    images = array[..., np.newaxis] if array.ndim == 3 else array
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise DataError(
            f"{where}: the shape is {_shape(array.shape)}; expected n x height x width, or that x 1 or 3 channels",
            "put the channels last.",
        )
    if images.dtype == np.uint8:
        return images
    is_float, top = np.issubdtype(images.dtype, np.floating), 255
    if is_float:
        top = 1
    elif not np.issubdtype(images.dtype, np.integer):
        raise DataError(f"{where}: the values are of type {images.dtype}; expected numbers", "save them as uint8.")
    # `not (low and high)` rather than `low or high`, so that NaN is refused too.
    if images.size and not (images.min() >= 0 and images.max() <= top):
        kind = "floats from 0 to 1" if is_float else "whole numbers from 0 to 255"
        raise DataError(
            f"{where}: the values reach from {images.min():g} to {images.max():g}; expected {kind}",
            "save them as uint8.",
        )
    result: NDArray[np.uint8] = (np.rint(images * 255.0) if is_float else images).astype(np.uint8)
    return result


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
