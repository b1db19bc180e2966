"""predictions.npz and the names of its images, read back."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.errors import ConfigurationError
from tuner.records.error_text import reason_of
from tuner.records.results import Results
from tuner.store.files.reading import DamagedFileError, read_whole
from tuner.store.split_table import read_split

# Of a million test images and a hundred classes.
_MOST_BYTES = 2_000_000_000
_HINT = "restore the file from a copy; nothing else of the run depends on it."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptPredictions:
    """What the models of a run said of the sealed test images.

    Attributes:
        images: The file or row that each comes from, (n,).
        labels: Their class numbers, (n,).
        probabilities: Of each training, (n, classes), by the model's name and the seed.
    """

    images: Sequence[str]
    labels: np.ndarray
    probabilities: Mapping[tuple[str, int], np.ndarray]


def read_predictions(folder: Path, results: Results) -> KeptPredictions:
    """Read the predictions of a run.

    Args:
        folder: The run's folder.
        results: What its results.json holds.

    Raises:
        ConfigurationError: If the run has tested no model.
        DamagedFileError: If predictions.npz or split.csv is not what this run has written.
    """
    trainings = [(model.name, run.seed) for model in results.models for run in model.runs]
    path = folder / "predictions.npz"
    if not trainings or (results.run.recipe and not path.exists()):
        raise ConfigurationError(
            f"{folder}: there are no predictions of test images",
            "give a run that has retrained and tested its models: one that has ended, and was not"
            " started with --search-only or by `train`.",
        )
    labels, found = _arrays(path, trainings, results)
    # In the order of the predictions: both keep the data set's order.
    split = read_split(folder, _HINT)
    images = [row.image for row in split if row.part == "test"]
    if len(images) != len(labels):
        raise DamagedFileError(
            f"{folder / 'split.csv'}: names {len(images):,} test images, but predictions.npz holds"
            f" {len(labels):,}",
            _HINT,
        )
    return KeptPredictions(images=images, labels=labels, probabilities=found)


def _arrays(
    path: Path, trainings: Sequence[tuple[str, int]], results: Results
) -> tuple[np.ndarray, dict[tuple[str, int], np.ndarray]]:
    n, n_classes = results.data.n_test, len(results.data.class_names)
    try:
        content = io.BytesIO(read_whole(path, _MOST_BYTES))
        with np.load(content, allow_pickle=False) as archive:
            labels = _checked(archive["labels"], (n,), "labels")
            found = {
                (name, seed): _checked(archive[f"{name}-{seed}"], (n, n_classes), name)
                for name, seed in trainings
            }
        if n and not (labels.min() >= 0 and labels.max() < n_classes):
            raise ValueError("its labels are not class numbers of the run")  # noqa: TRY301
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DamagedFileError(
            f"{path}: cannot be read as this run's predictions ({reason_of(error)})", _HINT
        ) from error
    return labels, found


def _checked(array: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
    return array
