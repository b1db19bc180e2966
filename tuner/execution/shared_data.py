"""Training data in files, so that processes share its pages and no array goes through a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tuner.records.image import ImageSpec
from tuner.store.files import write_atomically
from tuner.training.data import TrainingData


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedData:
    """Where the arrays of a `TrainingData` are, each in a .npy file.

    Attributes:
        inputs: See `TrainingData`, as all of these.
        labels: The class numbers.
        train: Indices.
        validation: Indices.
        spec: The record itself.
    """

    inputs: Path
    labels: Path
    train: Path
    validation: Path
    spec: ImageSpec


def share(data: TrainingData, folder: Path) -> SharedData:
    """Write the arrays into a folder; inputs that are a memory-mapped .npy file already are left where they are.

    Raises:
        OSError: If they cannot be written.
    """
    return SharedData(
        inputs=_whole_file(data.inputs) or _write(data.inputs, folder / "inputs.npy"),
        labels=_write(data.labels, folder / "labels.npy"),
        train=_write(data.train, folder / "train.npy"),
        validation=_write(data.validation, folder / "validation.npy"),
        spec=data.spec,
    )


def open_shared(shared: SharedData) -> TrainingData:
    """Map the files into memory; pages are read as they are needed, and shared by all who do so.

    Raises:
        OSError: If one is gone.
    """
    return TrainingData(
        inputs=np.load(shared.inputs, mmap_mode="r"),
        labels=np.load(shared.labels, mmap_mode="r"),
        train=np.load(shared.train, mmap_mode="r"),
        validation=np.load(shared.validation, mmap_mode="r"),
        spec=shared.spec,
    )


def _whole_file(array: np.ndarray) -> Path | None:
    """The .npy file that an array maps all of; None for any other array."""
    # A view of a memory map names its file too, and a map of mode "c" may hold what its file does not.
    if not isinstance(array, np.memmap) or array.filename is None or array.mode == "c":
        return None
    path = Path(str(array.filename))
    try:
        whole = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):
        return None
    return path if _layout(whole) == _layout(array) else None


def _layout(array: np.memmap) -> tuple[object, ...]:
    return array.dtype, array.shape, array.strides, array.offset


def _write(array: np.ndarray, path: Path) -> Path:
    with write_atomically(path) as file:
        np.save(_Writer(file), array)
    return path


class _Writer:
    """A file that NumPy does not know for one: it would write past Python, and a full disk would have no `errno`."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write
