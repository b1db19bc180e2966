"""A search space after parsing: plain frozen records, without YAML, pydantic or Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from tuner.space.as_text import AsText

Direction = Literal["max", "min"]
ParameterKind = Literal["int", "float", "ordinal", "choice", "boolean"]

# Keras' dtype policies, in which layers compute.
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
PrecisionChoice = Literal["auto", Precision]


def as_cost(score: float, direction: Direction) -> float:
    """A score as a cost: the less of it, the better.

    Args:
        score: The score.
        direction: `max` or `min`.
    """
    return score if direction == "min" else -score


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What the search optimises.

    Attributes:
        name: Metric of an epoch, such as `val_accuracy`.
        direction: `max` or `min`.
    """

    name: str
    direction: Direction

    def cost(self, score: float) -> float:
        """A score as a cost: the less of it, the better."""
        return as_cost(score, self.direction)

    def best(self, scores: Iterable[float]) -> float:
        """The best of some scores."""
        return min(scores, key=self.cost)

    def better(self, score: float, than: float | None) -> bool:
        """Whether a score beats another; any score beats None."""
        return than is None or self.cost(score) < self.cost(than)


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
        kind: `int`, `float`, `ordinal` (a list of numbers, which has an order), `choice` (a list
            of words, which has none) or `boolean`.
        low: Smallest value of an int or float, included.
        high: Largest value, included.
        step: Distance of neighbouring values; None where any value is allowed.
        log: Whether values are drawn uniformly on a logarithmic scale.
        choices: Values of a list; (False, True) for a boolean.
        conditions: All must hold for the parameter to be active; parents stand before it in the
            space.
    """

    name: str
    kind: Annotated[ParameterKind, AsText]
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()
    conditions: tuple[Condition, ...] = ()


def kind_of_list(values: Iterable[Any]) -> ParameterKind:
    """The kind of a parameter with these values: numbers have an order, words have none."""
    are_numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return "ordinal" if are_numbers else "choice"


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
        method: One of `tuner.space.methods.METHODS`.
        max_epochs: Epochs of the last rung.
        factor: Reduction factor between rungs.
        iterations: How often the whole of Hyperband is run; the other methods get as much to do by
            default.
        max_trials: Trials at most, promotions included; None leaves the number to the method.
        max_total_epochs: Epochs of all trials together at most; None takes the sum of Hyperband,
            or sets no limit where `max_trials` is given.
        patience: Epochs without improvement of the objective after which a trial ends; None never
            ends it early.
    """

    method: str
    max_epochs: int
    factor: int
    iterations: int
    max_trials: int | None = None
    max_total_epochs: int | None = None
    patience: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainSettings:
    """How the winner and its opponents are retrained.

    Attributes:
        epochs: Ceiling, the same for all of them.
        seeds: Retrainings per model.
        patience: Epochs without improvement on validation after which a retraining ends.
        finalists: Settings at most that are retrained where chance may have ordered them; the best
            on validation is the winner. None leaves the number to the preset.
    """

    epochs: int
    seeds: int
    patience: int
    finalists: int | None = None


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
        precision: In which layers of trainings compute; `auto` takes what is fast on the machine.
        start_from: Settings that are trained first: `baseline`, `defaults`, runs, recipes.
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
    precision: PrecisionChoice = "auto"
    start_from: tuple[str, ...] = ()
