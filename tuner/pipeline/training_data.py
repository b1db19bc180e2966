"""What trainings may see of a data set."""

from __future__ import annotations

from pathlib import Path

from tuner.data.cache.cache_folder import features_folder
from tuner.data.dataset import Dataset
from tuner.training.data import TrainingData


def training_data(dataset: Dataset, data_root: Path, otherwise: Path | None = None) -> TrainingData:
    """What a training may see of a data set: all labels but those of the test images.

    Args:
        dataset: The data set.
        data_root: Where features of its images are kept, for later runs too.
        otherwise: Where they are kept if nothing can be written there; None keeps them nowhere.
    """
    features = features_folder(dataset.images.name, dataset.pixels_fingerprint, data_root)
    return TrainingData(
        inputs=dataset.images.images,
        labels=dataset.sealed().images.labels,
        folds=dataset.split.folds,
        spec=dataset.spec,
        features=features or otherwise,
    )
