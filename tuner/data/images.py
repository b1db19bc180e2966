"""Decoded images with their labels: what every loader returns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.streaming import StreamedImages
from tuner.data.decoding.value_range import ValueRange
from tuner.data.duplicates import copies, first_equal, near_groups
from tuner.data.left_out import LeftOut
from tuner.data.splits.split_rules import MaybeRole
from tuner.errors import DataError
from tuner.names import one_line, printable

# Gives a loader room for n images: uint8, (n, height, width, channels). It fills the first rows of
# it.
Allocate = Callable[[int], NDArray[np.uint8]]

_IMAGES_PER_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """A data set, memory-mapped from the cache as a rule.

    It may be in memory too, or be decoded whenever images are asked for.

    Attributes:
        name: Name of the card.
        images: uint8, (n, height, width, channels).
        labels: int64, (n,), index into `class_names`.
        parts: Text, (n,): `train`, `validation`, `test`, or empty where the data give no part.
        origins: Where each image comes from, such as `row 17` or `happy/3.png`; (n,).
        class_names: In the order of the class numbers.
        unreadable: What could not be read, as `name: reason`.
        fingerprint: SHA-256 of pixels, labels, class names and parts, in hexadecimal; where images
            are streamed, of each image's SHA-256 in place of its pixels.
        groups: Text, (n,): images of one group stay together in a split; empty where the card's
            rule gives none.
        copy_of: int64, (n,): index of the first identical image, which may be the image itself.
        near_group: int64, (n,): number of the set of nearly identical images that it belongs to.
        files: Of each image, (n,), where images are files of their own; else empty.
        sums: int64, (n, 2, channels): sum of the pixels and of their squares, where images are
            streamed; else None.
        is_final: False where a file could not be read for a reason that may pass, such as a network
            that is down.
        left_out: What was found beside the images and those that could not be read, by reason.
        value_range: The values that became 0 and 255 in images of more than 8 bits; None where
            there are none, and the card states nothing.
        is_mended: Whether the cache was found damaged, and the images were decoded again.
    """

    name: str
    images: NDArray[np.uint8] | StreamedImages
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    origins: tuple[str, ...]
    class_names: tuple[str, ...]
    unreadable: tuple[str, ...]
    fingerprint: str
    groups: NDArray[np.str_]
    copy_of: NDArray[np.int64]
    near_group: NDArray[np.int64]
    files: tuple[FileFacts, ...]
    sums: NDArray[np.int64] | None = None
    is_final: bool = True
    left_out: tuple[LeftOut, ...] = ()
    value_range: ValueRange | None = None
    is_mended: bool = False

    @property
    def used_range(self) -> ValueRange | None:
        """The range, where any file or array needed one."""
        is_used = not self.files or any(facts.highest is not None for facts in self.files)
        return self.value_range if is_used else None


def make_images(
    *,
    name: str,
    images: NDArray[np.uint8] | StreamedImages,
    labels: Sequence[int] | NDArray[Any],
    parts: Sequence[MaybeRole],
    origins: Sequence[str],
    class_names: Sequence[str],
    unreadable: Sequence[str] = (),
    groups: Sequence[str] = (),
    files: Sequence[FileFacts] = (),
    digests: Sequence[bytes] = (),
    sums: NDArray[np.int64] | None = None,
    is_final: bool = True,
    left_out: Sequence[LeftOut] = (),
    value_range: ValueRange | None = None,
) -> Images:
    """Check what a loader read, fingerprint it and look for copies.

    `digests` and `sums` are those of streamed images.

    Raises:
        DataError: If there is no image, or fewer than two classes have any.
    """
    if any(one_line(class_name) != class_name for class_name in class_names):
        # Labels of a table, as a rule; loaders of folders give names that can be printed.
        class_names = [printable(class_name) for class_name in class_names]
    label_array = np.asarray(labels, dtype=np.int64)
    part_array = np.asarray(parts, dtype="<U10")
    _check_classes(name, label_array, class_names)
    if isinstance(images, StreamedImages):
        content: Iterator[Any] = iter(digests)
        copy_of, near_group = first_equal(digests), np.arange(len(images), dtype=np.int64)
    else:
        content = (np.ascontiguousarray(chunk).data for chunk in _chunks(images))
        copy_of, near_group = copies(images), near_groups(images)
    return Images(
        name=name,
        images=images,
        labels=label_array,
        parts=part_array,
        origins=tuple(origins),
        class_names=tuple(class_names),
        unreadable=tuple(unreadable),
        fingerprint=_fingerprint(images.shape, content, label_array, part_array, class_names),
        groups=np.asarray(groups or [""] * len(label_array), dtype=np.str_),
        copy_of=copy_of,
        near_group=near_group,
        files=tuple(files),
        sums=sums,
        is_final=is_final,
        left_out=tuple(left_out),
        value_range=value_range,
    )


def _check_classes(name: str, labels: NDArray[np.int64], class_names: Sequence[str]) -> None:
    """Refuse data without images, or with those of one class alone."""
    if len(labels) == 0:
        raise DataError(
            f"{name}: it holds no images", "check that the file or folder is the right one."
        )
    present = np.unique(labels)
    if len(present) < 2:
        only = class_names[int(present[0])]
        raise DataError(
            f'{name}: all images are of one class, "{only}"',
            "a classifier needs at least two classes; add the others.",
        )


def pixel_sums(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Sums of each channel's pixels and of their squares.

    They are int64, (2, channels), of pixels (..., channels).
    """
    # Whole numbers are exact in any order of summing; a squared pixel is at most 65,025 and just
    # fits 16 bits.
    values = pixels.reshape(-1, pixels.shape[-1]).astype(np.uint16)
    return np.stack(
        [values.sum(axis=0, dtype=np.int64), np.square(values).sum(axis=0, dtype=np.int64)]
    )


def _chunks(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(images), _IMAGES_PER_CHUNK):
        yield images[start : start + _IMAGES_PER_CHUNK]


def _fingerprint(
    shape: tuple[int, ...],
    content: Iterator[Any],
    labels: NDArray[np.int64],
    parts: NDArray[np.str_],
    class_names: Sequence[str],
) -> str:
    digest = hashlib.sha256(repr((shape, list(class_names))).encode("utf-8", "backslashreplace"))
    for block in content:
        digest.update(block)
    # Little-endian on every machine, so that equal data have equal fingerprints everywhere.
    digest.update(labels.astype("<i8").tobytes())
    digest.update("\n".join(parts.tolist()).encode())
    return digest.hexdigest()
