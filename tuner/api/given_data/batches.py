"""Iterables of batches, such as `tf.data`, `PyDataset` and `DataLoader`: read once, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from tuner.api.given_data.arrays import as_array, words_of
from tuner.api.given_data.kept_arrays import Part, check_size
from tuner.errors import DataError

# Of the free memory. The batches are held until all are there.
_MEMORY_SHARE = 0.5
# What tf.data says of a data set that repeats for ever.
_INFINITE = -1


def is_batches(given: Any) -> bool:
    """Whether it gives batches, one after another."""
    return isinstance(given, Iterable) or _is_indexed(given)


def read_batches(given: Any, where: str, data_root: Path) -> Part:
    """Read all images and labels, once.

    They are put in an order of their own, since many such data sets shuffle: the same images are
    the same data set each time, so that a run can be resumed.

    Args:
        given: Gives `(x, y)`, or a dict of `image` and `label`: batches, or single images.
        where: Begins messages.
        data_root: Folder of the data, whose disk limits how much is read.

    Raises:
        DataError: If it has no end, gives something else, or more than memory or disk take.
    """
    images, labels, n_bytes = list[NDArray[Any]](), list[NDArray[Any]](), 0
    most = int(psutil.virtual_memory().available * _MEMORY_SHARE)
    for batch in _each(given, where):
        x, y = _pair(batch, where)
        if images and x.shape[1:] != images[0].shape[1:]:
            raise DataError(
                f"{where}: images are of different sizes, {_shape(images[0])} and {_shape(x)}",
                "resize them in the data set, or give the path of a folder.",
            )
        images.append(x)
        labels.append(y)
        n_bytes += x.nbytes
        check_size(n_bytes, where, data_root)
        if n_bytes > most:
            raise DataError(
                f"{where}: the images take more than {most / 1e9:,.1f} GB, half of the free memory",
                "give uint8, fewer or smaller images, or the path of a folder or NPZ.",
            )
    if not images:
        raise DataError(
            f"{where}: {words_of(given)} gives no batches",
            "a generator can be read once only: give a new one, or arrays.",
        )
    return _in_own_order(np.concatenate(images), np.concatenate(labels))


def _each(given: Any, where: str) -> Iterator[Any]:
    cardinality = getattr(given, "cardinality", None)
    if callable(cardinality) and int(cardinality()) == _INFINITE:
        raise DataError(f"{where}: the data set repeats for ever", "leave repeat() out of it.")
    # Keras' PyDataset starts again at its end, where it is asked for one batch after another.
    return (given[number] for number in range(len(given))) if _is_indexed(given) else iter(given)


def _is_indexed(given: Any) -> bool:
    has_both = hasattr(given, "__getitem__") and hasattr(given, "__len__")
    return has_both and not isinstance(given, Mapping | str | bytes | np.ndarray)


def _pair(batch: Any, where: str) -> Part:
    if isinstance(batch, Mapping):
        batch = tuple(
            next((batch[name] for name in names if name in batch), None)
            for names in (("image", "images", "x"), ("label", "labels", "y"))
        )
    is_pair = isinstance(batch, tuple | list) and len(batch) == 2
    if not is_pair or any(one is None for one in batch):
        what = f"{len(batch)} parts" if isinstance(batch, tuple | list) else words_of(batch)
        raise DataError(
            f"{where}: a batch is {what}; expected (x, y)",
            "give images and labels alone: weights and other inputs are not understood.",
        )
    x, y = as_array(batch[0], where), as_array(batch[1], where)
    # A single image with its label.
    return (x[None], y[None]) if y.ndim == 0 or (x.ndim == 3 and len(x) != len(y)) else (x, y)


def _in_own_order(images: NDArray[Any], labels: NDArray[Any]) -> Part:
    keys = [
        hashlib.sha256(image.tobytes() + label.tobytes()).digest()
        for image, label in zip(images, labels, strict=True)
    ]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    return images[order], labels[order]


def _shape(batch: NDArray[Any]) -> str:
    return " x ".join(map(str, batch.shape[1:]))
