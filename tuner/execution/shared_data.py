"""Training data in files, so that processes share its pages and no array goes through a pipe."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.data.decoding.streaming import StreamedImages
from tuner.data.splits.fold import Fold
from tuner.records.image import ImageSpec
from tuner.store.files.array_files import write_array
from tuner.store.files.whole_files import write_atomically
from tuner.training.data import TrainingData
from tuner.training.transfer.features import Features

_STREAMED = ".pickle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedData:
    """Where the arrays of a `TrainingData` are, each in a .npy file.

    Small, since it goes with every task.

    Attributes:
        inputs: See `TrainingData`, as all of these; of streamed images a pickle, since their paths
            may be many.
        labels: The class numbers.
        folds: Indices that train, and that validate.
        spec: The record itself.
        features: The folder itself.
    """

    inputs: Path
    labels: Path
    folds: tuple[tuple[Path, Path], ...]
    spec: ImageSpec
    features: Path | None = None


def share(data: TrainingData, folder: Path) -> SharedData:
    """Write the arrays into a folder.

    Inputs that are a memory-mapped .npy file already are linked there.

    Raises:
        OSError: If they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
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
        features=data.features,
    )


def open_shared(shared: SharedData) -> TrainingData:
    """Map the files into memory; pages are read as they are needed, and shared by all who do so.

    Raises:
        OSError: If one is gone.
    """
    return TrainingData(
        inputs=_open_inputs(shared.inputs),
        labels=np.load(shared.labels, mmap_mode="r"),
        folds=tuple(
            Fold(train=np.load(train, mmap_mode="r"), validation=np.load(validation, mmap_mode="r"))
            for train, validation in shared.folds
        ),
        spec=shared.spec,
        features=shared.features,
    )


def _share_inputs(inputs: np.ndarray | StreamedImages | Features, folder: Path) -> Path:
    assert not isinstance(inputs, Features), "features are computed where they are trained on"
    if isinstance(inputs, StreamedImages):
        path = folder / f"inputs{_STREAMED}"
        with write_atomically(path) as file:
            pickle.dump(inputs, file)
        return path
    path = folder / "inputs.npy"
    whole = _whole_file(inputs)
    return _write(inputs, path) if whole is None else _linked(whole, path)


def _open_inputs(path: Path) -> np.ndarray | StreamedImages:
    opened: np.ndarray | StreamedImages
    opened = (
        pickle.loads(path.read_bytes())
        if path.suffix == _STREAMED
        else np.load(path, mmap_mode="r")
    )
    return opened


def _linked(whole: Path, path: Path) -> Path:
    """A second name for a file, under which it stays when its own is deleted.

    Another command may renew the cache.
    """
    try:
        os.link(whole, path)
    except OSError:
        # On another disk, or one without links.
        return whole
    return path


def _whole_file(array: np.ndarray) -> Path | None:
    """The .npy file that an array maps all of; None for any other array."""
    # A view of a memory map names its file too, and a map of mode "c" may hold what its file does
    # not.
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
