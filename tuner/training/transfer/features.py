"""A frozen network's features of images, in files that fill row by row as features are asked for.

Any number of processes may fill a file at a time, and be killed at any moment: a row counts only
once its mark is set, after its features are on disk. The mark is a sum of the row, so that a
damaged row is computed again.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import filelock
import numpy as np
from numpy.lib.format import read_array_header_1_0, read_magic

from tuner.store.files.array_files import write_zeros
from tuner.store.files.leftovers import sweep

# Images that go through the network together; always as many, since the last bits may depend on it.
BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Features in the place of images, (n, n_features) float32.

    Like an array, it is indexed with row numbers.

    Attributes:
        views: (n, n_features) of each view of the images: as they are, and mirrored where that is
            wanted.
        drawn: (n,) the view that each row is taken from; None takes the images as they are.
    """

    views: tuple[np.ndarray, ...]
    drawn: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Images, and features of each."""
        n, n_features = self.views[0].shape
        return n, n_features

    def __len__(self) -> int:
        return len(self.views[0])

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        if self.drawn is None:
            return np.asarray(self.views[0][rows])
        parts = np.stack([view[rows] for view in self.views])
        chosen: np.ndarray = parts[self.drawn[rows], np.arange(parts.shape[1])]
        return chosen

    def mixed(self, generator: np.random.Generator) -> Features:
        """With a view drawn for each image; as it is where there is one only."""
        if len(self.views) == 1:
            return self
        return replace(self, drawn=generator.integers(len(self.views), size=len(self)))


def kept_features(
    path: Path,
    shape: tuple[int, int],
    rows: np.ndarray,
    extract: Callable[[np.ndarray], np.ndarray],
    before_batch: Callable[[], None],
) -> np.ndarray:
    """Features of some images, from a file where they are kept; what is missing is computed.

    Args:
        path: The file; one that is damaged, or of another shape, is begun anew.
        shape: Number of all images, and of the features of each.
        rows: Images that are wanted.
        extract: From row numbers, at most `BATCH`, to features (rows, n_features).
        before_batch: Called before each batch; what it raises ends the work, and what is there
            stays.

    Returns:
        (n_images, n_features) float32, mapped into memory; rows that were never wanted are 0.

    Raises:
        OSError: If they cannot be written, as on a full disk.
    """
    parts = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    # Mapped and written through one descriptor: the file may be deleted, and made anew by others,
    # at any moment.
    with _opened(path, (shape[0], shape[1] + 1)) as file:
        table = _mapped(file)
        # In another order in each process, so that they seldom compute the same; hence no seed.
        for number in np.random.default_rng().permutation(len(parts)):
            missing = parts[number][~_are_there(table[parts[number]])]
            if len(missing):
                before_batch()
                _put(file, table, missing, extract(missing))
    return table[:, :-1]


def _opened(path: Path, shape: tuple[int, int]) -> BinaryIO:
    """The file of a table, of which the last column holds the marks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_suffix(".lock")):
        # Nobody else begins this file now, so what is half written was left by a process that was
        # killed.
        sweep(path.parent.glob(f".{glob.escape(path.name)}.*.tmp"), is_alone=True)
        if not _is_whole(path, shape):
            if path.is_dir():
                shutil.rmtree(path)
            write_zeros(path, shape)
        return open(path, "r+b")


def _is_whole(path: Path, shape: tuple[int, int]) -> bool:
    try:
        with open(path, "rb") as file:
            found = _mapped(file)
    except Exception:
        # Not there, or cut short by whatever happened to the disk; NumPy's reader raises of all
        # kinds.
        return False
    return found.shape == shape and found.dtype == np.float32


def _mapped(file: BinaryIO) -> np.memmap:
    """The array of an open .npy file.

    Raises:
        ValueError: If it holds none, or less than it says.
    """
    read_magic(file)
    shape, _, dtype = read_array_header_1_0(file)
    return np.memmap(file, dtype, "r", file.tell(), shape)


def _put(file: BinaryIO, table: np.memmap, rows: np.ndarray, features: np.ndarray) -> None:
    """Not through the memory map: there, a full disk ends the process."""
    n_bytes = table.strides[0]
    starts = [table.offset + int(row) * n_bytes for row in rows]
    found = np.ascontiguousarray(features, dtype="float32")
    for start, values in zip(starts, found, strict=True):
        file.seek(start)
        file.write(values.tobytes())
    file.flush()
    os.fsync(file.fileno())
    for start, mark in zip(starts, _marks(found), strict=True):
        file.seek(start + n_bytes - 4)
        file.write(mark.tobytes())
    file.flush()


def _marks(features: np.ndarray) -> np.ndarray:
    """The mark of each row, uint32 (n,), never 0.

    It is a sum of the row's bits, which any change of one value changes.
    """
    sums: np.ndarray = np.ascontiguousarray(features).view(np.uint32).sum(axis=1, dtype=np.uint64)
    return (sums % (2**32 - 1) + 1).astype(np.uint32)


def _are_there(rows: np.ndarray) -> np.ndarray:
    """Which rows of a table, (n,) bool, hold what was written: neither missing nor changed."""
    found: np.ndarray = np.ascontiguousarray(rows[:, -1]).view(np.uint32) == _marks(rows[:, :-1])
    return found
