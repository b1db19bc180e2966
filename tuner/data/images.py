"""Decoded images with their labels: what every loader returns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.errors import DataError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """A data set in memory, or memory-mapped from the cache.

    Attributes:
        name: Name of the card.
        images: uint8, (n, height, width, channels).
        labels: int64, (n,), index into `class_names`.
        parts: Text, (n,): `train`, `validation`, `test`, or empty where the data give no part.
        origins: Where each image comes from, such as `row 17` or `happy/3.png`; (n,).
        class_names: In the order of the class numbers.
        unreadable: What could not be read, as `name: reason`.
        fingerprint: SHA-256 of pixels, labels, class names and parts, in hexadecimal.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    origins: tuple[str, ...]
    class_names: tuple[str, ...]
    unreadable: tuple[str, ...]
    fingerprint: str


def make_images(
    *,
    name: str,
    images: NDArray[np.uint8],
    labels: Sequence[int] | NDArray[Any],
    parts: Sequence[str],
    origins: Sequence[str],
    class_names: Sequence[str],
    unreadable: Sequence[str] = (),
) -> Images:
    """Check what a loader read, and fingerprint it.

    Raises:
        DataError: If there is no image, or fewer than two classes have any.
    """
    label_array = np.asarray(labels, dtype=np.int64)
    part_array = np.asarray(parts, dtype="<U10")
    if len(label_array) == 0:
        raise DataError(f"{name}: it holds no images", "check that the file or folder is the right one.")
    present = np.unique(label_array)
    if len(present) < 2:
        only = class_names[int(present[0])]
        raise DataError(
            f'{name}: all images are of one class, "{only}"', "a classifier needs at least two classes; add the others."
        )
    return Images(
        name=name,
        images=images,
        labels=label_array,
        parts=part_array,
        origins=tuple(origins),
        class_names=tuple(class_names),
        unreadable=tuple(unreadable),
        fingerprint=_fingerprint(images, label_array, part_array, class_names),
    )


def _fingerprint(
    images: NDArray[np.uint8], labels: NDArray[np.int64], parts: NDArray[np.str_], class_names: Sequence[str]
) -> str:
    digest = hashlib.sha256(repr((images.shape, list(class_names))).encode("utf-8", "backslashreplace"))
    digest.update(np.ascontiguousarray(images).data)
    # Little-endian on every machine, so that equal data have equal fingerprints everywhere.
    digest.update(labels.astype("<i8").tobytes())
    digest.update("\n".join(parts.tolist()).encode())
    return digest.hexdigest()


def printable(name: str) -> str:
    """A file's name as messages can show it: line breaks, control characters and undecodable bytes become `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
