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
from tuner.errors import DataError
from tuner.store.files.whole_files import write_atomically

# Below the data's folder. It is no cache: the command lines in reports name what lies here.
FOLDER = ".given"

Part = tuple[NDArray[Any], NDArray[Any]]


def keep_arrays(parts: Mapping[str, Part], name: str, data_root: Path) -> Path:
    """Write images and labels to an NPZ, unless the same ones are there already.

    Args:
        parts: Images (n, height, width[, channels]) or (n, channels, height, width) and labels
            (n,) or one-hot (n, classes) by part: `train`, `validation`, `test`.
        name: What the data set is called.
        data_root: Folder of the data.

    Returns:
        The NPZ.

    Raises:
        DataError: If they cannot be images and labels, or take more than the cache may.
        OSError: If they cannot be written.
    """
    for part, (images, labels) in parts.items():
        _check(images, labels, f"{name}, {part}")
    check_size(sum(images.nbytes for images, _ in parts.values()), name, data_root)
    path = data_root / FOLDER / _digest(parts) / f"{name}.npz"
    if not path.is_file():
        arrays = {
            f"{letter}_{part}": array
            for part, pair in parts.items()
            for letter, array in zip("xy", pair, strict=True)
        }
        with write_atomically(path) as file:
            np.savez(file, allow_pickle=False, **arrays)
    return path


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
    if len(images) != len(labels):
        raise DataError(
            f"{where}: {len(images):,} images, but {len(labels):,} labels",
            "give one label for each image.",
        )
    if not len(images):
        raise DataError(f"{where}: there are no images", "give some, or leave this part out.")


def _digest(parts: Mapping[str, Part]) -> str:
    digest = hashlib.sha256()
    for part, pair in sorted(parts.items()):
        for array in pair:
            digest.update(f"{part} {array.dtype.str} {array.shape}".encode())
            for block in np.array_split(array, max(1, array.nbytes // 2**26), axis=0):
                digest.update(np.ascontiguousarray(block).data.cast("B") if block.size else b"")
    return digest.hexdigest()[:16]
