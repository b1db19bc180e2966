"""Iterables of batches, such as `tf.data`, `PyDataset` and `DataLoader`: read once, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from tuner.api.given_data.arrays import as_array, labels_of, words_of
from tuner.api.given_data.kept_arrays import Part, check_size
from tuner.data.arrays.array_layout import CHANNELS
from tuner.errors import DataError

# Of the free memory: the batches are held until all are there, and then their array too. Earlier
# parts are in memory by then, so that less is free for the next.
_MEMORY_SHARE = 1 / 3
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
    keys = list[bytes]()
    most = int(psutil.virtual_memory().available * _MEMORY_SHARE)
    for batch in _each(given, where):
        x, y = _pair(batch, where)
        if images and x.shape[1:] != images[0].shape[1:]:
            raise DataError(
                f"{where}: images are of different sizes, {_shape(images[0])} and {_shape(x)}",
                "resize them in the data set, or give the path of a folder.",
            )
        if len(x) != len(y):
            raise DataError(
                f"{where}: a batch has {len(x):,} images, but {len(y):,} labels",
                "give one label for each image.",
            )
        if labels and y.shape[1:] != labels[0].shape[1:]:
            raise DataError(
                f"{where}: some labels are one-hot and others are not",
                "give all labels in one form.",
            )
        images.append(x)
        labels.append(y)
        keys.extend(map(_key, x, y))
        n_bytes += x.nbytes
        check_size(n_bytes, where, data_root)
        if n_bytes > most:
            raise DataError(
                f"{where}: the images take more than {most / 1e9:,.1f} GB, a third of the free"
                " memory",
                "give uint8, fewer or smaller images, or the path of a folder or NPZ.",
            )
    if not images:
        raise DataError(
            f"{where}: {words_of(given)} yields no batches",
            "a generator can be read once only: give a new one, or arrays.",
        )
    return _in_own_order(images, labels, keys)


def _each(given: Any, where: str) -> Iterator[Any]:
    cardinality = getattr(given, "cardinality", None)
    if callable(cardinality) and int(cardinality()) == _INFINITE:
        raise DataError(f"{where}: the data set repeats without end", "remove repeat() from it.")
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
            "give images and labels only: sample weights and other inputs are not supported.",
        )
    x, y = as_array(batch[0], where), labels_of(batch[1], where)
    if _may_be_one_image(x, y):
        raise DataError(
            f"{where}: images of shape {x.shape} with labels of shape {y.shape} may be a batch of"
            " grey images, or one image with a one-hot label",
            "give the class as a whole number; or batches of shape (n, height, width, channels).",
        )
    # A single image with its label.
    return (x[None], y[None]) if y.ndim == 0 or (x.ndim == 3 and len(x) != len(y)) else (x, y)


def _may_be_one_image(x: NDArray[Any], y: NDArray[Any]) -> bool:
    if x.ndim != 3 or y.ndim != 1 or len(x) != len(y) or len(y) < 2 or y.dtype.kind not in "biuf":
        return False
    has_channels = x.shape[0] in CHANNELS or x.shape[-1] in CHANNELS
    return has_channels and bool(((y == 0) | (y == 1)).all() and y.sum() == 1)


def _key(image: NDArray[Any], label: NDArray[Any]) -> bytes:
    # Of text, an array's bytes depend on the longest of its batch.
    return hashlib.sha256(image.tobytes() + str(label.tolist()).encode()).digest()


def _in_own_order(
    images: list[NDArray[Any]], labels: list[NDArray[Any]], keys: list[bytes]
) -> Part:
    """All batches as one array, in the order of the keys; the list of images is emptied."""
    positions = np.empty(len(keys), dtype=np.int64)
    positions[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
    kind = np.result_type(*{batch.dtype for batch in images})
    ordered = np.empty((len(keys), *images[0].shape[1:]), dtype=kind)
    end = len(keys)
    while images:
        batch = images.pop()
        ordered[positions[end - len(batch) : end]] = batch
        end -= len(batch)
    return ordered, np.concatenate(labels)[np.argsort(positions)]


def _shape(batch: NDArray[Any]) -> str:
    return " x ".join(map(str, batch.shape[1:]))
