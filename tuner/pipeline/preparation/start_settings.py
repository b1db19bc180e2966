"""The settings that a search begins with: the baseline, the model's defaults, earlier winners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.data.cards.card import Card
from tuner.errors import ConfigurationError
from tuner.models.registry import complete, is_own, setting_problem
from tuner.records.image import ImageSpec
from tuner.records.trial import StartSetting
from tuner.retrain.contenders import stated_baseline
from tuner.space.definition import Parameter, SearchSpaceFile
from tuner.space.documents.validation import did_you_mean
from tuner.space.sampling import is_active
from tuner.space.vocabulary import VOCABULARIES, Term
from tuner.store.recipe_file import read_recipe

BASELINE, DEFAULTS = "baseline", "defaults"
RECIPE = "best.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSettings:
    """What a search begins with.

    Attributes:
        settings: In the order in which they are trained.
        notices: What was left out, and why, in a line each.
    """

    settings: tuple[StartSetting, ...] = ()
    notices: tuple[str, ...] = ()


def start_settings(file: SearchSpaceFile, card: Card, spec: ImageSpec) -> StartSettings:
    """Find the settings that a space wants trained first; of equal ones the first.

    Args:
        file: The space.
        card: Of the data set; it may state a baseline.
        spec: Of the images.

    Raises:
        ConfigurationError: If a run or recipe is not there, or cannot be read.
    """
    found: list[StartSetting] = []
    notices: list[str] = []
    for name in file.start_from:
        start = _start(name, file, card, spec)
        model = start.model or file.model if start else file.model
        if start is None:
            notices.append(
                f"start_from: {name} is left out: what {file.model} takes by default is its own"
            )
        elif problem := setting_problem(model, start.values, spec.height, spec.width):
            notices.append(f"start_from: {name} is left out, as {problem}")
        elif all(_whole(start, file) != _whole(other, file) for other in found):
            found.append(start)
    return StartSettings(settings=tuple(found), notices=tuple(notices))


def recipe_files(file: SearchSpaceFile) -> dict[str, Path]:
    """The recipes that a search begins with, by the names that its space gives them.

    Raises:
        ConfigurationError: If one is not there.
    """
    return dict(_recipe_files(file))


def _recipe_files(file: SearchSpaceFile) -> Iterator[tuple[str, Path]]:
    for name in file.start_from:
        if name in (BASELINE, DEFAULTS):
            continue
        path = Path(name) / RECIPE if Path(name).is_dir() else Path(name)
        if not path.is_file():
            raise ConfigurationError(
                f'{file.name}: start_from names "{name}", where there is no run and no recipe',
                did_you_mean(name, (BASELINE, DEFAULTS))
                or "name baseline, defaults, the folder of a finished run, or a best.yaml.",
            )
        yield name, path


def _start(name: str, file: SearchSpaceFile, card: Card, spec: ImageSpec) -> StartSetting | None:
    if name == DEFAULTS:
        return None if is_own(file.model) else _defaults(file)
    if name == BASELINE:
        stated = stated_baseline(card, spec)
        return _setting(name, stated.model, stated.values, file)
    path = recipe_files(file)[name]
    recipe = read_recipe(path)
    return _setting(Path(name).name, recipe.model, recipe.values, file)


def _setting(
    origin: str, model: str, values: Mapping[str, Any], file: SearchSpaceFile
) -> StartSetting:
    return StartSetting(
        origin=origin,
        values=complete(model, values),
        model=None if model == file.model else model,
    )


def _defaults(file: SearchSpaceFile) -> StartSetting:
    terms = VOCABULARIES[file.model]
    values = dict(file.space.fixed)
    for parameter in file.space.parameters:
        if is_active(parameter, values):
            values[parameter.name] = _usual(parameter, terms)
    return StartSetting(origin=DEFAULTS, values=values)


def _usual(parameter: Parameter, terms: Mapping[str, Term]) -> Any:
    """What the space calls usual; else the family's default, a block's being that of all blocks."""
    if parameter.prior is not None:
        return parameter.prior.value
    name = parameter.name
    return terms[name if name in terms else name.rpartition("_")[0]].default


def _whole(start: StartSetting, file: SearchSpaceFile) -> tuple[str, dict[str, Any]]:
    model = start.model or file.model
    return model, complete(model, start.values)
