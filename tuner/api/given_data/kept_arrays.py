"""Arrays as an NPZ in the data's folder, under a name that follows from what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.arrays.array_file import Array
from tuner.data.arrays.array_layout import image_layout
from tuner.data.cache.cache_folder import LIMIT_VARIABLE, cache_limit
from tuner.data.decoding.value_range import ValueRange, range_of, range_words
from tuner.errors import DataError
from tuner.store.files.whole_files import write_atomically

# Below the data's folder. It is no cache: the command lines in reports name what lies here.
FOLDER = ".given"

Part = tuple[NDArray[Any], NDArray[Any]]


def keep_arrays(parts: Mapping[str, Part], name: str, data_root: Path) -> Path:
    """Write images and labels that were checked to an NPZ, unless the same ones are there already.

    Args:
        parts: Images (n, height, width[, channels]) or (n, channels, height, width) and labels
            (n,) or one-hot (n, classes) by part: `train`, `validation`, `test`.
        name: What the data set is called.
        data_root: Folder of the data.

    Returns:
        The NPZ.

    Raises:
        OSError: If they cannot be written.
    """
    path = data_root / FOLDER / _digest(parts) / f"{name}.npz"
    if not path.is_file():
        arrays: dict[str, Any] = {
            f"{letter}_{part}": array
            for part, pair in parts.items()
            for letter, array in zip("xy", pair, strict=True)
        }
        with write_atomically(path) as file:
            np.savez(file, **arrays)
    return path


def check_parts(parts: Mapping[str, Part], name: str, data_root: Path) -> None:
    """Refuse what cannot be images and labels, is of several scales, or takes too much.

    Raises:
        DataError: With what it is.
    """
    check_size(sum(images.nbytes for images, _ in parts.values()), name, data_root)
    for part, (images, labels) in parts.items():
        _check(images, labels, f"{name}, {part}")
    _check_scales({part: images for part, (images, _) in parts.items()}, name)


def check_size(n_bytes: int, name: str, data_root: Path) -> None:
    """Refuse what takes more than one data set's cache may.

    Raises:
        DataError: With both sizes.
    """
    limit = cache_limit(data_root)
    if n_bytes > limit:
        raise DataError(
            f"{name}: the images take {n_bytes / 1e9:,.1f} GB or more; at most {limit / 1e9:,.1f}"
            " GB are written to the disk",
            f"give uint8, fewer images or the path of a folder; or set {LIMIT_VARIABLE}.",
        )


def _check(images: NDArray[Any], labels: NDArray[Any], where: str) -> None:
    header = Array(shape=images.shape, dtype=images.dtype, by_columns=False)
    image_layout(header, where)
    if not labels.ndim:
        raise DataError(
            f"{where}: the labels are one value, {str(labels)[:60]}",
            "give one label for each image, (n,).",
        )
    if len(images) != len(labels):
        raise DataError(
            f"{where}: {len(images):,} images, but {len(labels):,} labels",
            "give one label for each image.",
        )
    if not len(images):
        raise DataError(f"{where}: there are no images", "give some, or leave this part out.")


def _check_scales(parts: Mapping[str, NDArray[Any]], name: str) -> None:
    """Refuse parts that were scaled in different ways: by one range, all images of one are black.

    Bytes, and whole numbers beside floats, are brought to one scale where the arrays are read.
    """
    first: dict[bool, tuple[str, ValueRange]] = {}
    for part, images in parts.items():
        found = _range(images)
        if found is None:
            continue
        is_float = images.dtype.kind == "f"
        other, other_range = first.setdefault(is_float, (part, found))
        if _scale(found, is_float) != _scale(other_range, is_float):
            raise DataError(
                f"{name}: {other} has values of {range_words(other_range)}, but {part} of"
                f" {range_words(found)}",
                "use one scale for all parts, such as x * 255 of floats from 0 to 1.",
            )


def _range(images: NDArray[Any]) -> ValueRange | None:
    """What the values of a part alone look like; None for bytes, and where some are no numbers."""
    if images.dtype in (np.uint8, np.bool_):
        return None
    lowest, highest = float(images.min()), float(images.max())
    if not np.isfinite((lowest, highest)).all():
        return None
    return range_of(lowest, highest, is_float=images.dtype.kind == "f")


def _scale(found: ValueRange, is_float: bool) -> str:
    if found in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        return range_words(found)
    # A part may lack the brightest values of 10 to 16 bits, or the coldest temperatures.
    return "more than 8 bits" if found[0] == 0 and not is_float else "of their own"


def _digest(parts: Mapping[str, Part]) -> str:
    digest = hashlib.sha256()
    for part, pair in sorted(parts.items()):
        for array in pair:
            digest.update(f"{part} {array.dtype.str} {array.shape}".encode())
            for block in np.array_split(array, max(1, array.nbytes // 2**26), axis=0):
                digest.update(np.ascontiguousarray(block).data.cast("B") if block.size else b"")
    return digest.hexdigest()[:16]
