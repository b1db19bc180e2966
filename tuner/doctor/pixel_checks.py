"""Checks of the decoded pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tuner.data.decoding.streaming import StreamedImages
from tuner.data.decoding.value_range import range_words
from tuner.doctor.examined_data import ExaminedData, Indices
from tuner.doctor.findings import Finding

_IMAGES_PER_CHUNK = 4096


def constant(data: ExaminedData) -> Iterator[Finding]:
    """Images of a single colour."""
    images = data.images
    if isinstance(images.images, StreamedImages):
        return
    rows = constant_rows(images.images)
    if len(rows) == 0:
        return
    n, n_all = len(rows), len(images.labels)
    yield Finding(
        code="constant-images",
        severity="error" if n == n_all else "warning",
        summary=f"{n:,} of {n_all:,} images are of a single colour.",
        meaning=("A model cannot learn from an image without content, so its label is noise."),
        advice=(
            "look for placeholders, failed downloads and failed conversions; replace or delete"
            " them."
        ),
        counts={"images": n, "all": n_all},
        examples=data.singles(rows),
        n_examples=n,
    )


def rescaled(data: ExaminedData) -> Iterator[Finding]:
    """Values of tables and arrays that were no bytes; files have a check of their own."""
    images = data.images
    if images.value_range is None or images.files:
        return
    yield Finding(
        code="rescaled-values",
        severity="info",
        summary=(
            f"Values of {range_words(images.value_range)} were scaled to 0 to 255, all in the same"
            " way."
        ),
        meaning="A dark image stays dark. Very close values become equal.",
        advice="if another range is correct, set value_range under image in the card.",
        counts={"images": len(images.labels)},
    )


def streamed(data: ExaminedData) -> Iterator[Finding]:
    """What is not looked at in a data set that is too large for the cache."""
    images = data.images
    if isinstance(images.images, StreamedImages):
        yield Finding(
            code="not-examined",
            severity="info",
            summary=(
                "There are too many images for the cache, so the check skipped near copies and"
                " images of a single colour. It did look for images with the same pixels."
            ),
            meaning=(
                "Near copies may be in different parts of the split, and some images may have no"
                " content."
            ),
            advice="give the cache more memory if you can.",
            counts={"images": len(images.labels)},
        )


def constant_rows(images: NDArray[np.uint8]) -> Indices:
    """Indices of the images whose pixels are all alike.

    Args:
        images: (n, height, width, channels).
    """
    n, height = images.shape[:2]
    found = []
    for start in range(0, n, _IMAGES_PER_CHUNK):
        chunk = images[start : start + _IMAGES_PER_CHUNK]
        # Of nearly all images the middle line tells enough, so that little of a large memory-mapped
        # set is read.
        line = chunk[:, height // 2]
        for row in np.flatnonzero((line == line[:, :1]).all(axis=(1, 2))):
            if (chunk[row] == chunk[row, 0, 0]).all():
                found.append(start + int(row))
    return np.array(found, dtype=np.int64)
