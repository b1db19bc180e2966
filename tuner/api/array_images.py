"""Images in memory as the model of a recipe takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuner.api.given_data.arrays import as_array
from tuner.errors import DataError
from tuner.records.image import ImageSpec


def array_images(images: Any, spec: ImageSpec) -> np.ndarray:
    """Images (n, height, width, channels) with values of 0-255.

    Args:
        images: One image or several, with the size and the channels of the model; grey ones may
            leave the channel out.
        spec: What the model takes.

    Raises:
        DataError: If they are of another shape or kind, or their values are not 0 to 255.
    """
    found = as_array(images, "images")
    if found.dtype.kind not in "uif":
        raise DataError(
            f"images must be numbers from 0 to 255, but these have the type {found.dtype}",
            "give uint8 or float arrays, or the paths of files.",
        )
    shaped = _shaped(found, spec)
    _check_values(shaped)
    is_whole = shaped.dtype.kind != "f" or bool((shaped % 1 == 0).all())
    # What a file would hold, so that the same image gives the same numbers.
    return shaped.astype("uint8" if is_whole else "float32", copy=False)


def _shaped(found: np.ndarray, spec: ImageSpec) -> np.ndarray:
    shape, size = found.shape, (spec.height, spec.width)
    if shape[1:] == spec.shape and len(found):
        return found
    if shape == spec.shape:
        return found[None]
    if spec.channels == 1 and shape == size:
        return found[None, ..., None]
    if spec.channels == 1 and shape[1:] == size and len(found):
        return found[..., None]
    if not found.size:
        raise DataError("there is no image to predict", "give at least one image.")
    hint = f"bring each image to {_size(spec)}, or give the paths of files, which are resized."
    if shape[-3:] == (spec.channels, *size):
        turned = "(0, 2, 3, 1)" if found.ndim == 4 else "(1, 2, 0)"
        hint = f"the channels come first; put them last: images.transpose{turned}."
    raise DataError(
        f"images of shape {shape} do not fit the model, which takes {_size(spec)}", hint
    )


def _check_values(pixels: np.ndarray) -> None:
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 255):
        raise DataError(
            f"pixels are numbers from 0 to 255, but these go from {low:g} to {high:g}",
            "give the pixels as they are in the files, without scaling or standardising them.",
        )
    if pixels.dtype.kind == "f" and 0 < high <= 1:
        raise DataError(
            f"pixels are numbers from 0 to 255, but the highest of these is {high:g}",
            "multiply them by 255: the model scales its images itself.",
        )


def _size(spec: ImageSpec) -> str:
    return f"(n, {spec.height}, {spec.width}, {spec.channels})"
