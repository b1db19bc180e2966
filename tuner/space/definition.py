"""A search space after parsing: plain frozen records, without YAML, pydantic or Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What the search optimises.

    Attributes:
        name: Metric of an epoch, such as `val_accuracy`.
        direction: `max` or `min`.
    """

    name: str
    direction: str

    def best(self, scores: Iterable[float]) -> float:
        """The best of some scores."""
        return max(scores) if self.direction == "max" else min(scores)

    def better(self, score: float, than: float | None) -> bool:
        """Whether a score beats another; any score beats None."""
        if than is None:
            return True
        return score > than if self.direction == "max" else score < than


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A parameter is active only where its parent has one of these values (and is active itself).

    Attributes:
        parent: Name of another searched parameter.
        values: The parent's values that switch the parameter on.
    """

    parent: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One searched hyperparameter.

    Attributes:
        name: Flat name, such as `filters_0`.
        kind: `int`, `float`, `choice` or `boolean`.
        low: Smallest value of an int or float, included.
        high: Largest value, included.
        step: Distance of neighbouring values; None where any value is allowed.
        log: Whether values are drawn uniformly on a logarithmic scale.
        choices: Values of a choice; (False, True) for a boolean.
        conditions: All must hold for the parameter to be active; parents stand before it in the
            space.
    """

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A whole search space.

    Attributes:
        parameters: The searched parameters, parents before children.
        fixed: Values that every setting shares.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How the space is searched.

    Attributes:
        method: `hyperband` (Li et al., JMLR 18, 2018), `asha` (Li et al., MLSys 2020), or one that
            trains every setting to `max_epochs`: `random`, `bayesian` or `grid`.
        max_epochs: Epochs of the last rung.
        factor: Reduction factor between rungs.
        iterations: How often the whole of Hyperband is run; the other methods get as much to do by
            default.
        max_trials: Trials at most, promotions included; None leaves the number to the method.
        patience: Epochs without improvement of the objective after which a trial ends; None never
            ends it early.
    """

    method: str
    max_epochs: int
    factor: int
    iterations: int
    max_trials: int | None = None
    patience: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainSettings:
    """How the winner and its opponents are retrained.

    Attributes:
        epochs: Ceiling, the same for all of them.
        seeds: Retrainings per model.
        patience: Epochs without improvement on validation after which a retraining ends.
    """

    epochs: int
    seeds: int
    patience: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSizes:
    """An override of the split, for benchmarks: the first images of the training part.

    Attributes:
        train: Number of training images.
        validation: Number of validation images, the next ones.
    """

    train: int
    validation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """How a data set is split; with the data it decides which image goes where.

    Attributes:
        seed: Of whatever is drawn.
        limit: Training and validation images together; None takes all.
        sizes: Override of the card's split; None keeps it.
        max_train: Training images at most; None takes all.
        max_validation: Validation images at most; None takes all.
        outer: Number of the outer fold of nested cross-validation that tests, from 1; None for the
            usual test part.
    """

    seed: int
    limit: int | None = None
    sizes: SplitSizes | None = None
    max_train: int | None = None
    max_validation: int | None = None
    outer: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpaceFile:
    """A search space file, parsed.

    Attributes:
        name: The file's name as messages show it.
        dataset: Name of the card it was written for; None where it serves any.
        model: `cnn`, a backbone, or your own `package.module:function`.
        objective: What is optimised.
        space: What is searched.
        search: How.
        compare: Opponents of the winner: `baseline`, `baseline_published`, names of backbones, and
            rows that are made of the winner's own models and trials.
        backbone: Hyperparameters of the opponents that are pretrained.
        retrain: How all of them are retrained.
        split: Override of the card's split; None keeps it.
    """

    name: str
    dataset: str | None
    model: str
    objective: Objective
    space: Space
    search: SearchSettings
    compare: tuple[str, ...]
    backbone: Mapping[str, Any]
    retrain: RetrainSettings
    split: SplitSizes | None
