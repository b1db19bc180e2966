"""A search space after parsing: plain frozen records, without YAML, pydantic or Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated, Any, Literal

from tuner.space.as_text import AsText
from tuner.space.constraints import NO_CONSTRAINTS, Constraints
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings
from tuner.space.split_settings import SplitSizes

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


# Of a prior that states none: PriorBand's (Mallik et al., NeurIPS 2023).
DEFAULT_SPREAD = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is usual for a hyperparameter, from which a part of the settings is drawn.

    Attributes:
        value: The usual value; of words and switches the one of the greatest weight.
        spread: Standard deviation of a number around it, as a share of the range on its scale.
        weights: Probability of each of the parameter's choices, in their order; empty for numbers.
    """

    value: Any
    spread: float = DEFAULT_SPREAD
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One searched hyperparameter, or one of its several ranges.

    Several parameters of a space may share a name: they are its ranges, each with its own
    conditions, of which at most one's hold at a time.

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
        place: Its number among several ranges as the file lists them, from 0; None where the name
            has one range in its family.
        prior: What is usual; None where nothing is said.
    """

    name: str
    kind: Annotated[ParameterKind, AsText]
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()
    conditions: tuple[Condition, ...] = ()
    place: int | None = None
    prior: Prior | None = None


def kind_of_list(values: Iterable[Any]) -> ParameterKind:
    """The kind of a parameter with these values: numbers have an order, words have none."""
    are_numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return "ordinal" if are_numbers else "choice"


def spanning(ranges: Sequence[Parameter]) -> Parameter:
    """One parameter over all ranges of a name, without conditions: for axes, and to compare trials.

    Args:
        ranges: At least one. Numbers and words are never mixed.
    """
    first = ranges[0]
    if len(ranges) == 1:
        return first
    if all(one.choices for one in ranges):
        choices = tuple(dict.fromkeys(chain.from_iterable(one.choices for one in ranges)))
        are_numbers = kind_of_list(choices) == "ordinal"
        return replace(
            first,
            kind=kind_of_list(choices) if first.kind != "boolean" else "boolean",
            choices=tuple(sorted(choices)) if are_numbers else choices,
            conditions=(),
            place=None,
            prior=None,
        )
    ends = [
        end for one in ranges for end in (one.choices or (one.low, one.high)) if end is not None
    ]
    return Parameter(
        name=first.name,
        kind="int" if all(isinstance(end, int) for end in ends) else "float",
        low=min(ends),
        high=max(ends),
        log=min(ends) > 0 and any(one.log for one in ranges),
    )


def by_name(parameters: Iterable[Parameter]) -> dict[str, list[Parameter]]:
    """The ranges of each name, the names in the order of the parameters."""
    found: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        found.setdefault(parameter.name, []).append(parameter)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A whole search space.

    Attributes:
        parameters: The searched parameters, parents before children.
        fixed: Values that every setting shares.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Any]

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the searched hyperparameters, each once."""
        return tuple(dict.fromkeys(parameter.name for parameter in self.parameters))

    def possible(self, name: str) -> tuple[Any, ...]:
        """What a name may be: the choices of all its ranges, or the fixed value; else nothing."""
        found = [one.choices for one in self.parameters if one.name == name]
        if not found and name in self.fixed:
            return (self.fixed[name],)
        return tuple(dict.fromkeys(chain.from_iterable(found)))


# The hyperparameter that names the family, where a space searches several.
FAMILY = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One of several models that a space searches together.

    Attributes:
        name: Its value of `FAMILY`: `cnn`, a backbone or `baseline`.
        model: What is built: the same, or of `baseline` the model that it is one of.
        space: Its hyperparameters, and what is fixed for it.
    """

    name: str
    model: str
    space: Space


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpaceFile:
    """A search space file, parsed.

    Attributes:
        name: The file's name as messages show it.
        dataset: Name of the card it was written for; None where it serves any.
        model: `cnn`, a backbone, your own builder; of several families the one that is stated.
        objective: What is optimised.
        space: What is searched.
        search: How.
        compare: Opponents of the winner: baselines, backbones, rows made of its own models.
        backbone: Hyperparameters of the opponents that are pretrained.
        retrain: How all of them are retrained.
        split: Override of the card's split; None keeps it.
        precision: In which layers of trainings compute; `auto` takes what is fast on the machine.
        start_from: Settings that are trained first: `baseline`, `defaults`, runs, recipes.
        families: What is searched together; empty where it is `model` alone.
        constraints: What a model must stay under to be used.
        costs: Names of `tuner.space.costs.COSTS` that are objectives beside the score.
        track: Trackers that a run is written to, of `tuner.space.trackers.TRACKERS`.
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
    families: tuple[Family, ...] = ()
    constraints: Constraints = NO_CONSTRAINTS
    costs: tuple[str, ...] = ()
    track: tuple[str, ...] = ()

    @property
    def objectives(self) -> tuple[str, ...]:
        """The score and the costs, where there are any; else empty."""
        return (self.objective.name, *self.costs) if self.costs else ()
