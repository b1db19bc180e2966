"""Training data in files, so that processes share its pages and no array goes through a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.data.split import Fold
from tuner.data.streaming import StreamedImages
from tuner.records.image import ImageSpec
from tuner.store.arrays import write_array
from tuner.training.data import TrainingData


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedData:
    """Where the arrays of a `TrainingData` are, each in a .npy file.

    Attributes:
        inputs: See `TrainingData`, as all of these; streamed images are files already.
        labels: The class numbers.
        folds: Indices that train, and that validate.
        spec: The record itself.
    """

    inputs: Path | StreamedImages
    labels: Path
    folds: tuple[tuple[Path, Path], ...]
    spec: ImageSpec


def share(data: TrainingData, folder: Path) -> SharedData:
    """Write the arrays into a folder; inputs that are a memory-mapped .npy file already are left where they are.

    Raises:
        OSError: If they cannot be written.
    """
    return SharedData(
        inputs=_share_inputs(data.inputs, folder),
        labels=_write(data.labels, folder / "labels.npy"),
        folds=tuple(
            (
                _write(fold.train, folder / f"train-{number}.npy"),
                _write(fold.validation, folder / f"validation-{number}.npy"),
            )
            for number, fold in enumerate(data.folds)
        ),
        spec=data.spec,
    )


def open_shared(shared: SharedData) -> TrainingData:
    """Map the files into memory; pages are read as they are needed, and shared by all who do so.

    Raises:
        OSError: If one is gone.
    """
    return TrainingData(
        inputs=np.load(shared.inputs, mmap_mode="r") if isinstance(shared.inputs, Path) else shared.inputs,
        labels=np.load(shared.labels, mmap_mode="r"),
        folds=tuple(
            Fold(train=np.load(train, mmap_mode="r"), validation=np.load(validation, mmap_mode="r"))
            for train, validation in shared.folds
        ),
        spec=shared.spec,
    )


def _share_inputs(inputs: np.ndarray | StreamedImages, folder: Path) -> Path | StreamedImages:
    if isinstance(inputs, StreamedImages):
        return inputs
    return _whole_file(inputs) or _write(inputs, folder / "inputs.npy")


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
    write_array(path, array)
    return path
