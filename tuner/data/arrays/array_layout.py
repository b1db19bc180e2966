"""How an array holds images: by its shape alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.data.arrays.array_file import Array, shape_words
from tuner.errors import DataError

CHANNELS = (1, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLayout:
    """How an array holds images.

    Attributes:
        height: Pixels.
        width: Pixels.
        channels: 1, 3 or 4.
        is_first: Whether the channels come before height and width.
    """

    height: int
    width: int
    channels: int
    is_first: bool

    def channels_last(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Images of this layout as (n, height, width, channels)."""
        if self.is_first:
            return np.moveaxis(images, 1, -1)
        return images.reshape(len(images), self.height, self.width, self.channels)


def image_layout(array: Array, where: str) -> ArrayLayout:
    """How an array holds its images.

    Understood are n x height x width, that x 1, 3 or 4 channels, n x 1, 3 or 4 channels x height x
    width, and n rows of a square number of grey values.

    Raises:
        DataError: If its shape is another one, or it holds no numbers.
    """
    shape = array.shape
    if array.dtype.kind not in "uifb":
        raise DataError(
            f"{where}: the values are of type {str(array.dtype)[:60]}; expected numbers",
            "save them as uint8.",
        )
    if len(shape) == 2 and shape[1] >= 16 and math.isqrt(shape[1]) ** 2 == shape[1]:
        side = math.isqrt(shape[1])
        return ArrayLayout(height=side, width=side, channels=1, is_first=False)
    if len(shape) == 3:
        return ArrayLayout(height=shape[1], width=shape[2], channels=1, is_first=False)
    if len(shape) == 4 and shape[3] in CHANNELS:
        return ArrayLayout(height=shape[1], width=shape[2], channels=shape[3], is_first=False)
    if len(shape) == 4 and shape[1] in CHANNELS:
        return ArrayLayout(height=shape[2], width=shape[3], channels=shape[1], is_first=True)
    raise DataError(
        f"{where}: the shape is {shape_words(shape)}; expected n x height x width, or that x 1, 3"
        " or 4 channels",
        _reshape_hint(shape),
    )


def _reshape_hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 2 and shape[1] % 3 == 0 and math.isqrt(shape[1] // 3) ** 2 == shape[1] // 3:
        side = math.isqrt(shape[1] // 3)
        return (
            f"{side} x {side} colour images? Then x.reshape(-1, {side}, {side}, 3); or, where all"
            f" red values come first as in CIFAR, x.reshape(-1, 3, {side}, {side})."
        )
    if len(shape) == 4 and shape[2] in CHANNELS:
        return "the images are along the last axis: numpy.moveaxis(x, -1, 0) puts them first."
    if len(shape) == 5:
        return "volumes and videos are not supported: save single images."
    return "reshape it, channels last."
