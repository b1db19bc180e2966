"""`objective:` and `objectives:` of a space: a score, and what a model takes beside it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, get_args

from tuner.names import listed
from tuner.space.costs import COSTS
from tuner.space.definition import Direction, Objective
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem
from tuner.space.documents.validation import did_you_mean, shown
from tuner.space.parsing.schema import ObjectiveSpec, SpaceFile
from tuner.space.vocabulary import OBJECTIVES, VOCABULARIES


def check_objectives(document: Document, model: str) -> list[Problem]:
    """The mistakes in what a search optimises.

    Args:
        document: The file; its top level may be anything.
        model: The family or builder whose hyperparameters it states.
    """
    data = document.data if isinstance(document.data, dict) else {}
    objective, objectives = data.get("objective"), data.get("objectives")
    problems = _check_objective(document, model, objective)
    if not isinstance(objectives, list) or not objectives:
        return problems
    stated = objective.get("name") if isinstance(objective, dict) else objective
    first = objectives[0]
    if stated is None:
        problems += _check_name(document, model, first, ("objectives", 0))
    elif isinstance(first, str) and first != stated:
        problems.append(
            Problem(
                where=document.where(("objectives", 0)),
                message=f"objectives begins with {shown(first)}, but objective is {shown(stated)}.",
                hint=f"begin the list with {stated}, or leave objective out.",
            )
        )
    return [*problems, *_check_costs(document, objectives)]


def _check_costs(document: Document, objectives: list[Any]) -> Iterator[Problem]:
    for i, name in enumerate(objectives[1:], 1):
        where, start = document.where(("objectives", i)), f"objectives.{i} is {shown(name)}"
        if not isinstance(name, str):
            continue
        if name.startswith("val_"):
            message = f"{start}, but only the first of the objectives is a score."
            yield Problem(where=where, message=message, hint=f"use {listed(COSTS)} after it.")
        elif name not in COSTS:
            message = f"{start}; expected {listed(COSTS)}."
            yield Problem(where=where, message=message, hint=partial(did_you_mean, name, COSTS))
        elif name in objectives[:i]:
            message = f"{start}, which is in the list already."
            yield Problem(where=where, message=message, hint="delete one of the two.")


def _check_objective(document: Document, model: str, objective: Any) -> list[Problem]:
    long_form = isinstance(objective, dict)
    if not long_form:
        return _check_name(document, model, objective, ("objective",))
    name, direction = objective.get("name"), objective.get("direction")
    if name not in OBJECTIVES or direction in (None, OBJECTIVES[name]):
        return _check_name(document, model, name, ("objective", "name"))
    if direction not in get_args(Direction):
        return []
    return [
        Problem(
            where=document.where(("objective", "direction")),
            message=(
                f"objective.direction is {direction}, but the best {name} is the"
                f" {OBJECTIVES[name]}."
            ),
            hint="remove direction.",
        )
    ]


def _check_name(document: Document, model: str, name: Any, path: KeyPath) -> list[Problem]:
    """The mistakes in the name of a score."""
    if not isinstance(name, str) or name in OBJECTIVES:
        return []
    where, start = document.where(path), f"{'.'.join(map(str, path))} is {shown(name)}"
    if name in COSTS:
        message = f"{start}, which is a cost, not a score."
        hint = f"begin with a score: objectives: [val_accuracy, {name}]"
        return [Problem(where=where, message=message, hint=hint)]
    if model in VOCABULARIES:
        message = f"{start}; expected {listed(OBJECTIVES)}."
        return [Problem(where=where, message=message, hint=did_you_mean(name, OBJECTIVES))]
    if not name.startswith("val_"):
        message = (
            f"{start}; expected a metric of the validation images, whose name begins with val_."
        )
        return [Problem(where=where, message=message, hint="name a metric such as val_accuracy.")]
    return []


def objective_of(file: SpaceFile) -> Objective:
    """The score that is optimised."""
    is_listed = bool(file.objectives) and "objective" not in file.model_fields_set
    spec = ObjectiveSpec(name=file.objectives[0]) if is_listed else file.objective
    inferred: Direction = "min" if spec.name.endswith("loss") else "max"
    return Objective(name=spec.name, direction=spec.direction or inferred)
