"""Families of which no setting keeps the constraints are left out of a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tuner.errors import SpaceError
from tuner.planning.corners import corners
from tuner.records.image import ImageSpec
from tuner.space.constraints import breach_of, nearest_miss
from tuner.space.definition import Family, SearchSpaceFile
from tuner.space.families import together
from tuner.space.parsing.families import owner, owners
from tuner.training.refusals import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Constrained:
    """A space without the families that are too large.

    Attributes:
        file: The space.
        notices: What was left out and why, in a line each.
    """

    file: SearchSpaceFile
    notices: tuple[str, ...] = ()


def without_too_large(file: SearchSpaceFile, spec: ImageSpec) -> Constrained:
    """Leave out families whose smallest setting breaks a constraint that is known beforehand.

    Args:
        file: The space; one that is searched alone stays as it is.
        spec: Of the images.

    Raises:
        SpaceError: If no family is left.
    """
    if not file.constraints.has_foreseen:
        return Constrained(file=file)
    found = {family.name: _problem(family, file, spec) for family in file.families}
    refused = {name: problem for name, problem in found.items() if problem}
    if not refused:
        return Constrained(file=file)
    families = tuple(family for family in file.families if family.name not in refused)
    if not families:
        miss = nearest_miss(refused.values())
        raise SpaceError(
            f"{file.name}: no family meets the constraints; the nearest: {miss}",
            "raise the constraint, or add a family of smaller models, such as cnn.",
        )
    left = [family.name for family in families]
    # The one whose hyperparameters the file states may be among those that go.
    model = owner(left) if owners(left) else file.model
    return Constrained(
        file=replace(file, model=model, families=families, space=together(families)),
        notices=tuple(
            f"{name} is left out of the search, because {problem}"
            for name, problem in refused.items()
        ),
    )


def _problem(family: Family, file: SearchSpaceFile, spec: ImageSpec) -> str | None:
    """The constraint that all of a family breaks; None where a setting may keep it."""
    # Of the CNN no corner is the smallest: its dense layer shrinks as blocks are added.
    if family.name == "cnn":
        return None
    reasons = list(_refusals(family, file, spec))
    return nearest_miss(reasons) if all(breach_of(reason) for reason in reasons) else None


def _refusals(family: Family, file: SearchSpaceFile, spec: ImageSpec) -> Iterator[str]:
    for values in corners(family.space):
        yield refusal(family.model, values, spec, file.constraints) or ""
