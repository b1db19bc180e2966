"""A frozen network's features of images, in files that fill row by row as features are asked for.

Any number of processes may fill a file at a time, and be killed at any moment: a row counts only once its mark is set,
after its features are on disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import filelock
import numpy as np
from numpy.lib.format import open_memmap

from tuner.store.arrays import write_zeros

# Images that go through the network together; always as many, since the last bits may depend on it.
BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Features in the place of images, (n, n_features) float32; like an array, it is indexed with row numbers.

    Attributes:
        views: (n, n_features) of each view of the images: as they are, and mirrored where that is wanted.
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


class FeatureFile:
    """Features of one view of all images, and which of them are there."""

    def __init__(self, path: Path, n_images: int, n_features: int) -> None:
        """Open the file, or make one whose rows are all missing.

        Raises:
            OSError: If it cannot be written.
        """
        self._path = path
        self._shape = n_images, n_features + 1
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_suffix(".lock")):
            self._table = self._opened()

    def fill(
        self, rows: np.ndarray, extract: Callable[[np.ndarray], np.ndarray], before_batch: Callable[[], None]
    ) -> None:
        """Compute what is missing.

        Args:
            rows: Images that are wanted.
            extract: From row numbers, at most `BATCH`, to features (rows, n_features).
            before_batch: Called before each batch; what it raises ends the work, and what is there stays.

        Raises:
            OSError: If they cannot be written, as on a full disk.
        """
        parts = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        with open(self._path, "r+b", buffering=0) as file:
            # In another order in each process, so that they seldom compute the same; hence no seed.
            for number in np.random.default_rng().permutation(len(parts)):
                missing = parts[number][self._table[parts[number], -1] == 0]
                if len(missing):
                    before_batch()
                    self._put(file, missing, extract(missing))

    def array(self) -> np.ndarray:
        """The features (n_images, n_features); rows that were never asked for are 0."""
        return self._table[:, :-1]

    def _opened(self) -> np.memmap:
        try:
            table: np.memmap = open_memmap(self._path, mode="r")
            if table.shape == self._shape and table.dtype == np.float32:
                return table
        except (OSError, ValueError):
            # Not there, or cut short by whatever happened to the disk.
            pass
        write_zeros(self._path, self._shape)
        made: np.memmap = open_memmap(self._path, mode="r")
        return made

    def _put(self, file: BinaryIO, rows: np.ndarray, features: np.ndarray) -> None:
        """Not through the memory map: there, a full disk ends the process."""
        whole = np.ascontiguousarray(features, dtype="float32")
        n_features, start = self._shape[1] - 1, self._table.offset
        offsets = [start + int(row) * 4 * (n_features + 1) for row in rows]
        for offset, values in zip(offsets, whole, strict=True):
            file.seek(offset)
            file.write(values.tobytes())
        os.fsync(file.fileno())
        for offset in offsets:
            file.seek(offset + 4 * n_features)
            file.write(np.float32(1).tobytes())
