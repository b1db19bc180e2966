"""A sealed recipe: all that is needed to train a model of a run again, without a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from tuner.records.combination import Combination
from tuner.records.expected_score import ExpectedScore
from tuner.records.image import ImageSpec
from tuner.records.results import PresetName
from tuner.records.training import Schedule
from tuner.space.as_text import AsText
from tuner.space.definition import Direction, Precision
from tuner.space.split_settings import SplitSettings


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
        max_train_images: Training images that were drawn of the fold's, which `n_train` counts;
            None for all of them.
        draw_seed: Of that draw.
        split_digest: SHA-256 of which images trained, validated and tested; empty where an earlier
            version wrote the recipe.
        test_digest: SHA-256 of which images tested; empty likewise.
        labels: The list of corrected labels that was given; None where there was none.
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
    max_train_images: int | None = None
    draw_seed: int = 0
    split_digest: str = ""
    test_digest: str = ""
    labels: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOrigin:
    """The run, or the training by a recipe, that a recipe comes from.

    Attributes:
        run: Name of its folder.
        command: Its command line.
        preset: How much it did.
        seed: The run's one seed, from which those of its trainings descend.
        objective: Metric that the search optimised.
        method: Search method.
        n_trials: Trials, promotions included.
        n_epochs: Epochs of all trials.
        time_budget_s: Seconds for the whole command; None where there was no limit.
        cut_short: What was left out of it for want of time, or since it was stopped, a sentence
            each; empty where nothing was.
    """

    run: str
    command: str
    preset: Annotated[PresetName, AsText]
    seed: int
    objective: str
    method: str
    n_trials: int
    n_epochs: int
    time_budget_s: float | None
    cut_short: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The hyperparameters of a model with what they need around them.

    Attributes:
        model: Family, or `package.module:function`.
        values: Hyperparameters, complete.
        image: Shape, classes and pixel statistics of the training images.
        data: The data that it was made on.
        seed: Seed of the retraining whose model was kept.
        max_epochs: Ceiling of the retraining.
        patience: Epochs without improvement after which it ended; None where it waited for none.
        schedule: Of the learning rate: `constant` or `cosine`.
        monitor: Metric that chose the best epoch.
        direction: `max` or `min`.
        epochs: The best epoch: how long to train where no validation images are left to decide.
        validation_score: What `monitor` was in that epoch; None where nothing was retrained.
        test_accuracy: On the sealed test set; None where it was not scored.
        temperature: What its logits are divided by for calibrated probabilities; None where it was
            not fitted.
        versions: Packages that it was made with.
        precision: In which the retraining computed; None for what suits the device that trains.
        title: What the run calls the model; empty where an earlier version wrote the recipe.
        stop_metric: Metric that ended the retraining as soon as it reached `stop_value`; None where
            there was none.
        stop_value: See `stop_metric`.
        keeps_best: Whether the best epoch's weights are kept, not the last one's.
        expected: What another training is expected to score on the test set; None where nothing was
            scored.
        builder: SHA-256 of each source file of a builder of your own, by its path; empty for a
            model of tuner, which the version of tuner decides.
        weights_digest: What changes exactly when the pretrained weights do; None where training
            began from random weights, or from a download that the sealing machine did not have.
        origin: Where the recipe comes from; None where an earlier version wrote it.
        combination: What the model combines; None of a single network. Of an ensemble, `model` and
            `values` are those of the member with the largest share.
    """

    model: str
    values: Mapping[str, Any]
    image: ImageSpec
    data: RecipeData
    seed: int
    max_epochs: int
    patience: int | None
    schedule: Annotated[Schedule, AsText]
    monitor: str
    direction: Annotated[Direction, AsText]
    epochs: int
    validation_score: float | None
    test_accuracy: float | None
    versions: Mapping[str, str]
    temperature: float | None = None
    precision: Annotated[Precision, AsText] | None = None
    title: str = ""
    stop_metric: str | None = None
    stop_value: float = 0.0
    keeps_best: bool = True
    expected: ExpectedScore | None = None
    builder: Mapping[str, str] = field(default_factory=dict)
    weights_digest: str | None = None
    origin: RecipeOrigin | None = None
    combination: Combination | None = None
