"""A refined space as the text of its file, with the reason beside each line that has changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuner.records.results import PresetName
from tuner.refinement.families import Families
from tuner.refinement.refined_space import Change, RefinedSpace
from tuner.space.constraints import Constraints
from tuner.space.declaring import flow
from tuner.space.definition import Objective, SearchSpaceFile
from tuner.space.vocabulary import OBJECTIVES

_WIDTH = 96
# What presets other than `standard` state in place of the space.
_OF_PRESET = {
    "search": ("max_epochs", "factor", "iterations"),
    "retrain": ("epochs", "seeds", "finalists"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSpace:
    """A space file to come.

    Attributes:
        file: The space of the run that it follows.
        preset: That run's.
        families: What it searches.
        space: Its hyperparameters.
        start_from: What it begins with.
        origin: The first lines, without the marks of a comment.
    """

    file: SearchSpaceFile
    preset: PresetName
    families: Families
    space: RefinedSpace
    start_from: tuple[str, ...]
    origin: tuple[str, ...]

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(_lines(self)) + "\n"


def _lines(new: NextSpace) -> Iterator[str]:
    file = new.file
    for text in new.origin:
        yield from _comment(text)
    yield "version: 1"
    if file.dataset:
        yield f"dataset: {flow(file.dataset)}"
    for name, reason in new.families.reasons.items():
        yield from _comment(f"{name} is left out: {reason}.")
    names = new.families.names
    yield f"model: {flow(names[0] if len(names) == 1 else names)}"
    yield f"objective: {flow(_objective(file.objective))}"
    if file.costs:
        yield f"objectives: {flow(list(file.objectives))}"
    yield from _space(new.space)
    for name, value in _others(new):
        yield f"{name}: {flow(value)}"


def _space(space: RefinedSpace) -> Iterator[str]:
    changes = {change.name: change for change in space.changes}
    yield "space:" if space.declarations else "space: {}"
    for name, value in space.declarations.items():
        if name in changes:
            yield from _comment(_why(changes[name]), "  ")
        if isinstance(value, list):
            yield f"  {flow(name)}:"
            yield from (f"    - {flow(one)}" for one in value)
        else:
            yield f"  {flow(name)}: {flow(value)}"
    for change in space.changes:
        if change.name not in space.declarations:
            yield from _comment(f"{change.name}: {_why(change)}", "  ")


def _why(change: Change) -> str:
    return f"{change.what}: {change.reason}. Before: {', '.join(change.before)}"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - len(indent), break_long_words=False):
        yield f"{indent}# {line}"


def _objective(objective: Objective) -> Any:
    return objective.name if objective.name in OBJECTIVES else asdict(objective)


def _others(new: NextSpace) -> Iterator[tuple[str, Any]]:
    """The rest of the file, as the run had it."""
    file = new.file
    of_preset: Mapping[str, Sequence[str]] = {} if new.preset == "standard" else _OF_PRESET
    search, retrain = asdict(file.search), asdict(file.retrain)
    # A preset's, which no file states.
    del retrain["cheap_seeds"], retrain["head_epochs"], search["most_multiply_adds"]
    yield "search", _stated(search, of_preset.get("search", ()))
    if bounds := _bounds(file.constraints):
        yield "constraints", bounds
    yield "compare", list(file.compare)
    if file.backbone:
        yield "backbone", dict(file.backbone)
    yield "start_from", list(new.start_from)
    yield "retrain", _stated(retrain, of_preset.get("retrain", ()))
    if file.split:
        yield "split", asdict(file.split)


def _stated(settings: Mapping[str, Any], left_out: Sequence[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in settings.items()
        if value is not None and name not in left_out
    }


def _bounds(constraints: Constraints) -> dict[str, str]:
    found = {name: bound for name, bound in asdict(constraints).items() if bound is not None}
    return {name: f"<= {bound:.12g}" for name, bound in found.items()}
