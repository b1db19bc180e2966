"""One scale for a whole data set whose values are not of 8 bits.

It says which value is black, and which is white.

A decision for each image by itself would make a dark scan look like a bright one: brightness
between images is what a network may have to learn from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The values that become 0 and 255.
ValueRange = tuple[float, float]

# Beyond it are no pixels, and float32 has no room for the differences.
LARGEST_VALUE = 1e30

FULL_16_BITS: ValueRange = (0.0, 65535.0)

# Of grey values: what cameras and scanners give, though the file keeps each in 16 bits.
_BITS = (8, 10, 12, 14, 16)
# Enlarging with Lanczos overshoots, so that floats of 0 to 1 may reach a little beyond.
_OVERSHOOT = 0.05
# Floats above 1 whose largest is smaller than this are no grey values of 0 to 255, but in a unit of
# their own.
_LEAST_OF_255 = 32.0


def range_of(lowest: float, highest: float, *, is_float: bool) -> ValueRange:
    """The range of a data set's values, by the smallest and the largest of all of them.

    Whole numbers: 0 to the largest number of 8, 10, 12, 14 or 16 bits, whichever is the first to
    hold all. Floats: 0 to 1, -1 to 1, 0 to 255, or as whole numbers. What fits none of these, such
    as temperatures, is taken from its lowest to its highest value.

    Args:
        lowest: Of all values that are finite.
        highest: The same.
        is_float: Whether all of them are floats.
    """
    beyond = 1 + _OVERSHOOT if is_float else 1.0
    if is_float and highest <= beyond and lowest >= -beyond:
        return (0.0 if lowest >= -_OVERSHOOT else -1.0), 1.0
    is_grey = not is_float or highest >= _LEAST_OF_255
    if is_grey and lowest >= (1 - beyond) * highest:
        for bits in _BITS:
            if highest <= (2**bits - 1) * beyond:
                return 0.0, 2.0**bits - 1
    return lowest, highest if highest > lowest else lowest + 1


def to_8_bits(values: NDArray[np.float32], value_range: ValueRange) -> NDArray[np.uint8]:
    """Bring black to 0 and white to 255; what lies beyond is cut off, and NaN is black.

    Args:
        values: Of any shape; changed in place, since a scan of 50 megapixels takes 200 MB already.
        value_range: Black and white; white is the larger one.
    """
    black, white = value_range
    np.nan_to_num(values, copy=False, nan=black, posinf=white, neginf=black)
    values -= np.float32(black)
    values *= np.float32(255 / (white - black))
    np.clip(np.rint(values, out=values), 0, 255, out=values)
    return values.astype(np.uint8)


def extremes(values: NDArray[np.float32]) -> tuple[float, float]:
    """The smallest and the largest finite value; (0, 0) where there is none."""
    lowest, highest = float(values.min()), float(values.max())
    if np.isfinite(lowest) and np.isfinite(highest):
        return lowest, highest
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def range_words(value_range: ValueRange) -> str:
    """Such as `0 to 4,095`."""
    black, white = (f"{end:,.0f}" if end == round(end) else f"{end:g}" for end in value_range)
    return f"{black} to {white}"
