"""A sealed recipe: all that is needed to train the winner again, without a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from tuner.records.image import ImageSpec
from tuner.records.training import Schedule
from tuner.space.as_text import AsText
from tuner.space.definition import Direction, Precision, SplitSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeData:
    """The data that a recipe was made on.

    Attributes:
        name: Name of the card, or path of the folder or file.
        fingerprint: Hash of the images, labels and class names.
        n_train: Training images.
        n_validation: Validation images.
        n_test: Test images.
        split: How it was split.
        fold: Which of the folds trained and validated, from 0.
        background: Colour under transparent pixels, red, green, blue.
        value_range: Values that become 0 and 255 in images of more than 8 bits; None where there
            were none.
    """

    name: str
    fingerprint: str
    n_train: int
    n_validation: int
    n_test: int
    split: SplitSettings
    fold: int = 0
    background: tuple[int, int, int] = (255, 255, 255)
    value_range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The best hyperparameters with what they need around them.

    Attributes:
        model: Family, or `package.module:function`.
        values: Hyperparameters, complete.
        image: Shape, classes and pixel statistics of the training images.
        data: The data that it was made on.
        seed: Seed of the retraining that became model.keras.
        max_epochs: Ceiling of the retraining.
        patience: Epochs without improvement after which it ended.
        schedule: Of the learning rate: `constant` or `cosine`.
        monitor: Metric that chose the best epoch.
        direction: `max` or `min`.
        epochs: The best epoch: how long to train where no validation images are left to decide.
        validation_score: What `monitor` was in that epoch; None where the winner was not retrained.
        test_accuracy: On the sealed test set; None where it was not scored.
        temperature: What its logits are divided by for calibrated probabilities; None where it was
            not fitted.
        versions: Packages that it was made with.
        precision: In which the retraining computed; None for what suits the device that trains.
    """

    model: str
    values: Mapping[str, Any]
    image: ImageSpec
    data: RecipeData
    seed: int
    max_epochs: int
    patience: int
    schedule: Annotated[Schedule, AsText]
    monitor: str
    direction: Annotated[Direction, AsText]
    epochs: int
    validation_score: float | None
    test_accuracy: float | None
    versions: Mapping[str, str]
    temperature: float | None = None
    precision: Annotated[Precision, AsText] | None = None
