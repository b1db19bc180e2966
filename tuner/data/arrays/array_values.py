"""The values of arrays of images: which range they have, and what they are in 8 bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.arrays.array_file import blocks
from tuner.data.arrays.array_layout import ArrayLayout
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.value_range import (
    LARGEST_VALUE,
    ValueRange,
    range_of,
    range_words,
    to_8_bits,
)
from tuner.errors import DataError

# Of floats (True), and of whole numbers that are no bytes (False).
Ranges = Mapping[bool, ValueRange]


def find_ranges(
    arrays: Iterable[tuple[str, NDArray[Any]]], path: Path, settings: ImageSettings
) -> Ranges:
    """The values that become 0 and 255: those that are stated, else by the extremes of all arrays.

    Args:
        arrays: Names and values.
        path: The file, for messages.
        settings: May state the range.

    Raises:
        DataError: If a value is not finite.
    """
    kinds: dict[bool, tuple[float, float]] = {}
    for name, values in arrays:
        if values.dtype in (np.uint8, np.bool_):
            continue
        lowest, highest = kinds.get(values.dtype.kind == "f", (np.inf, -np.inf))
        for block in blocks(values):
            lowest = np.minimum(lowest, float(block.min()))
            highest = np.maximum(highest, float(block.max()))
        if not (lowest >= -LARGEST_VALUE and highest <= LARGEST_VALUE) and len(values):
            raise DataError(
                f"{path.name}, {name}: the values reach from {lowest:g} to {highest:g};"
                " expected numbers",
                "replace NaN, infinity and extreme values, and save them as uint8.",
            )
        kinds[values.dtype.kind == "f"] = float(lowest), float(highest)
    stated = settings.value_range
    if stated is not None:
        return dict.fromkeys(kinds, (stated[0], stated[1]))
    return {
        is_float: range_of(*ends, is_float=is_float)
        for is_float, ends in kinds.items()
        if np.isfinite(ends).all()
    }


def only_deep(ranges: Ranges, path: Path) -> ValueRange | None:
    """The range that is not that of bytes; None where there is none.

    Raises:
        DataError: If there are two. Bytes beside floats of 0 to 1 are one set, though.
    """
    deep = set(ranges.values()) - {(0.0, 255.0)}
    if len(deep) > 1:
        ends = " and ".join(range_words(one) for one in sorted(deep))
        raise DataError(
            f"{path.name}: its arrays have values of {ends}",
            "save all of them with one scale, as uint8.",
        )
    return next(iter(deep), None)


def fill(
    out: NDArray[np.uint8],
    rows: Sequence[int],
    values: NDArray[Any],
    layout: ArrayLayout,
    ranges: Ranges,
    settings: ImageSettings,
) -> None:
    """Fill with the images of some rows.

    Args:
        out: Room for them, (n, height, width, channels).
        rows: Which, in their order.
        values: All images.
        layout: How they hold an image.
        ranges: From `find_ranges`.
        settings: Their background is behind what is transparent.
    """
    start = n = 0
    wanted = np.asarray(rows, dtype=np.int64)
    for block in blocks(values):
        here = wanted[(wanted >= start) & (wanted < start + len(block))] - start
        images = layout.channels_last(_bytes(block[here], ranges.get(block.dtype.kind == "f")))
        out[n : n + len(here)] = _flat(images, settings) if layout.channels == 4 else images
        start, n = start + len(block), n + len(here)


def _bytes(values: NDArray[Any], value_range: ValueRange | None) -> NDArray[np.uint8]:
    if values.dtype == np.bool_:
        return np.where(values, np.uint8(255), np.uint8(0))
    if values.dtype == np.uint8 or value_range is None:
        return values.astype(np.uint8)
    if values.dtype.kind != "f" and value_range == (0.0, 255.0):
        within: NDArray[np.uint8] = np.clip(values, 0, 255).astype(np.uint8)
        return within
    # Of 16 bits, a float has no room for 65,535; of 64, float32 has none for all values.
    wide = values.astype(np.float32) if values.dtype == np.float16 else values
    return to_8_bits(np.clip(wide, *value_range).astype(np.float32), value_range)


def _flat(images: NDArray[np.uint8], settings: ImageSettings) -> NDArray[np.uint8]:
    """Red, green and blue above the card's background, by the fourth channel."""
    alpha = images[..., 3:].astype(np.float32) / 255
    below = np.asarray(settings.background, dtype=np.float32)
    return np.rint(images[..., :3] * alpha + below * (1 - alpha)).astype(np.uint8)
