"""What augmentation does to pixels, as operations that every backend has.

All that is random is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops


def moved(images: Any, matrices: Any) -> Any:
    """Images shifted, scaled, turned and mirrored with one bilinear interpolation.

    What lies outside is reflected.

    Args:
        images: uint8 (n, height, width, channels); all but n must be known.
        matrices: float32 (n, 6), the numbers a, b, c, d, e, f that lead from a pixel (x, y) of the
            result, counted from the centre, to the place (a x + b y + c, d x + e y + f) of the
            image.

    Returns:
        uint8, as the images.
    """
    height, width, channels = images.shape[1:]
    x, y = _from_centre(width), ops.reshape(_from_centre(height), (-1, 1))
    a, b, c, d, e, f = (ops.reshape(matrices[:, i], (-1, 1, 1)) for i in range(6))
    left, to_right = _place(a * x + (b * y + c), width)
    top, to_bottom = _place(d * x + (e * y + f), height)
    right, bottom = ops.minimum(left + 1, width - 1), ops.minimum(top + 1, height - 1)
    pixels = ops.reshape(ops.cast(images, "float32"), (-1, channels))
    first = ops.reshape(
        ops.arange(ops.shape(images)[0], dtype="int32") * (height * width), (-1, 1, 1)
    )

    def at(row: Any, column: Any) -> Any:
        return ops.take(pixels, first + row * width + column, axis=0)

    to_right, to_bottom = ops.expand_dims(to_right, 3), ops.expand_dims(to_bottom, 3)
    upper = at(top, left) + to_right * (at(top, right) - at(top, left))
    lower = at(bottom, left) + to_right * (at(bottom, right) - at(bottom, left))
    return _as_images(upper + to_bottom * (lower - upper))


def contrasted(images: Any, factors: Any) -> Any:
    """Images (n, height, width, channels), distances from their mean scaled by factors (n, 1)."""
    pixels, mean = ops.cast(images, "float32"), _mean(images)
    return _as_images(ops.clip(mean + _per_image(factors) * (pixels - mean), 0.0, 255.0))


def erased(images: Any, boxes: Any) -> Any:
    """Images (n, height, width, channels) with their mean in the place of rectangles.

    Args:
        images: uint8.
        boxes: float32 (n, 4): top, bottom, left, right in pixels; the first row and column are
            inside, the last not.

    Returns:
        uint8, as the images.
    """
    height, width = images.shape[1:3]
    top, bottom, left, right = (_per_image(boxes[:, i]) for i in range(4))
    y = ops.reshape(ops.arange(height, dtype="float32"), (1, -1, 1, 1))
    x = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, -1, 1))
    rows, columns = ops.logical_and(y >= top, y < bottom), ops.logical_and(x >= left, x < right)
    return ops.where(ops.logical_and(rows, columns), _as_images(_mean(images)), images)


def mixed(images: Any, partners: Any) -> Any:
    """Images (n, height, width, channels), each mixed with another.

    Args:
        images: uint8.
        partners: float32 (n, 2): the number of the other image, and what is kept of the first, from
            0 to 1.

    Returns:
        uint8, as the images.
    """
    pixels, share = ops.cast(images, "float32"), _per_image(partners[:, 1])
    other = ops.take(pixels, ops.cast(partners[:, 0], "int32"), axis=0)
    return _as_images(share * pixels + (1 - share) * other)


# By the names of their parameters, in the order in which they are done.
CHANGES: Mapping[str, Callable[[Any, Any], Any]] = {
    "affine": moved,
    "contrast": contrasted,
    "erase": erased,
    "mixup": mixed,
}


def _per_image(values: Any) -> Any:
    return ops.reshape(values, (-1, 1, 1, 1))


def _mean(images: Any) -> Any:
    """Mean of each image over all channels, (n, 1, 1, 1)."""
    return ops.mean(ops.cast(images, "float32"), axis=(1, 2, 3), keepdims=True)


def _as_images(pixels: Any) -> Any:
    return ops.cast(ops.round(pixels), "uint8")


def _from_centre(side: int) -> Any:
    return ops.arange(side, dtype="float32") - (side - 1) / 2


def _place(offsets: Any, side: int) -> tuple[Any, Any]:
    """The pixel at or before an offset from the centre, and how far beyond it that lies, 0 to 1."""
    last = float(side - 1)
    reflected = last - ops.abs(last - ops.abs(offsets + last / 2))
    # Reflected once; what lies even further outside gets the edge.
    within = ops.clip(reflected, 0.0, last)
    before = ops.floor(within)
    return ops.cast(before, "int32"), within - before
