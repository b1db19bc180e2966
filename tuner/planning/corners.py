"""The extremes of a space: its smallest and largest models, and those that cannot be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuner.models.backbones.stages import trained_part
from tuner.records.error_text import reason_of
from tuner.records.image import ImageSpec
from tuner.space.constraints import NO_CONSTRAINTS, Constraints
from tuner.space.definition import Parameter, Space
from tuner.space.sampling import grid_values, sample
from tuner.training.refusals import refusal

# Draws of each kind of corner: all numbers small, all large, and mixed.
N_DRAWS = {"low": 4, "high": 4, "mixed": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A setting at an extreme of the space.

    Attributes:
        model: Family or builder.
        values: Its hyperparameters.
        n_parameters: Of the model, or of the head that is trained in its place; 0 where it is not
            built.
        checkpoint_bytes: Of its weights and its optimizer.
        problem: Why a run does not train it; None where it does.
    """

    model: str
    values: Mapping[str, Any]
    n_parameters: int = 0
    checkpoint_bytes: int = 0
    problem: str | None = None


def corners(space: Space) -> list[dict[str, Any]]:
    """Distinct settings at the extremes.

    Every number is at an end of its range, every other choice is drawn.
    """
    rng = np.random.default_rng(0)
    found = [sample(_narrowed(space, end), rng) for end, n in N_DRAWS.items() for _ in range(n)]
    return list({repr(sorted(values.items())): values for values in found}.values())


def build_corner(
    model: str,
    values: Mapping[str, Any],
    image_spec: ImageSpec,
    constraints: Constraints = NO_CONSTRAINTS,
) -> Corner:
    """Build a model without training it; one that breaks a constraint is not built."""
    problem = refusal(model, values, image_spec, constraints)
    if problem is None:
        try:
            return _build(model, values, image_spec)
        # A builder of your own may raise anything, and may even ask for the end of the process.
        except (Exception, SystemExit) as error:
            problem = reason_of(error)
    return Corner(model=model, values=values, problem=problem)


def _build(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> Corner:
    import keras

    from tuner.training.checkpoint import take_state
    from tuner.training.compiled import compiled_model

    built = compiled_model(trained_part(model, values), values, image_spec)
    built.optimizer.build(built.trainable_variables)
    size = sum(array.nbytes for array in take_state(built))
    keras.backend.clear_session()
    n_parameters = built.count_params()
    return Corner(model=model, values=values, n_parameters=n_parameters, checkpoint_bytes=size)


def _narrowed(space: Space, end: str) -> Space:
    return replace(
        space, parameters=tuple(_only_ends(parameter, end) for parameter in space.parameters)
    )


def _only_ends(parameter: Parameter, end: str) -> Parameter:
    """The parameter with its ends as choices; words and switches have none and stay as they are."""
    values = grid_values(parameter) or (parameter.low, parameter.high)
    if any(isinstance(value, bool | str) for value in values):
        return parameter
    ends = {"low": (min(values),), "high": (max(values),), "mixed": (min(values), max(values))}
    return replace(parameter, kind="choice", choices=ends[end], log=False)
