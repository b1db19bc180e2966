"""What nested cross-validation finds.

Every image is tested once, by models whose search did not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from tuner.records.results import PresetName
from tuner.space.as_text import AsText

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterFold:
    """One outer fold: a whole run, whose test part it was.

    Attributes:
        folder: The run's folder, as seen from where the command was started.
        n_test: Images that it tested.
        best_score: The winner's objective in the run's search.
        duration_s: Seconds of the run.
    """

    folder: str
    n_test: int
    best_score: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledModel:
    """One model of the comparison, its test images taken together over the outer folds.

    Attributes:
        name: `tuned`, `baseline`, `baseline_published` or `efficientnet_b2`.
        title: What tables call it.
        n: Images that tested it: all, but for the outer folds in which every retraining of it
            failed.
        accuracy: Share of them whose class was found, the mean over the seeds; None where n is 0.
        accuracy_low: Lower end of the 95 % Wilson interval on n images; it leaves training noise
            out.
        accuracy_high: Upper end.
        fold_accuracies: Mean over the seeds in each outer fold; None where it was not trained.
    """

    name: str
    title: str
    n: int
    accuracy: float | None
    accuracy_low: float
    accuracy_high: float
    fold_accuracies: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WinningValues:
    """What the searches chose for one hyperparameter.

    Attributes:
        name: The hyperparameter.
        counts: Each value that won, with the number of outer folds in which it did, the most
            frequent first. A hyperparameter that the winner had switched off counts nowhere.
    """

    name: str
    counts: tuple[tuple[Any, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedResults:
    """What `run --nested` writes.

    Attributes:
        dataset: Name of the card, or of the folder.
        title: What a report calls it.
        fingerprint: Hash of the images, labels and class names.
        seed: The one seed of all runs.
        preset: `quick`, `standard` or `thorough`.
        command: The command line.
        objective: Metric that was optimised.
        folds: The outer folds, in order.
        models: In the order of the comparison.
        winners: One per searched hyperparameter.
        schema_version: Grows when a reader of old files must change.
    """

    # JSON has no NaN: a metric of your own may be one.
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"ser_json_inf_nan": "strings"}

    dataset: str
    title: str
    fingerprint: str
    seed: int
    preset: Annotated[PresetName, AsText]
    command: str
    objective: str
    folds: tuple[OuterFold, ...]
    models: tuple[PooledModel, ...]
    winners: tuple[WinningValues, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def n_test(self) -> int:
        """Number of images; each tested once."""
        return sum(fold.n_test for fold in self.folds)
