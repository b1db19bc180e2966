"""The settings that a search begins with: the baseline, the model's defaults, earlier winners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError
from tuner.models.registry import comes_to, complete, effective
from tuner.names import is_own
from tuner.records.sealed_recipe import RecipeData
from tuner.records.trial import StartSetting
from tuner.retrain.contenders import BASELINE, stated_baseline
from tuner.space.definition import SearchSpaceFile, Space
from tuner.space.families import built, each_family, in_family
from tuner.space.priors import usual_values
from tuner.space.sampling import has_setting, setting_of
from tuner.space.split_settings import SplitSettings
from tuner.store.files.nearest_path import did_you_mean_path
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RECIPE
from tuner.training.refusals import refusal

# The usual setting of each family.
DEFAULTS = "defaults"
# Winners of earlier runs: `tuner.pipeline.preparation.remembered`.
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSettings:
    """What a search begins with.

    Attributes:
        settings: In the order in which they are trained.
        notices: What was left out or is doubtful, and why, in a line each.
    """

    settings: tuple[StartSetting, ...] = ()
    notices: tuple[str, ...] = ()


def start_settings(
    file: SearchSpaceFile, card: Card, dataset: Dataset, split: SplitSettings
) -> StartSettings:
    """Find the settings that a space names to be trained first; of equal ones the first.

    Args:
        file: The space.
        card: Of the data set; it may state a baseline.
        dataset: The data, split.
        split: How they were split.

    Raises:
        ConfigurationError: If a run or recipe is not there, or cannot be read.
    """
    found: list[StartSetting] = []
    notices: list[str] = []
    for start, doubt in chain.from_iterable(
        _starts(name, file, card, dataset, split) for name in file.start_from if name != AUTO
    ):
        if isinstance(start, str):
            notices.append(f"start_from: {start} is left out{doubt}")
        elif reason := problem(start, file, card, dataset):
            notices.append(f"start_from: {start.origin} is left out, because {reason}")
        elif is_new(start, found, file):
            found.append(start)
            notices += [doubt] if doubt else []
    return StartSettings(settings=tuple(found), notices=tuple(notices))


def problem(start: StartSetting, file: SearchSpaceFile, card: Card, dataset: Dataset) -> str | None:
    """Why a search does not begin with a setting; None where it may."""
    model, values = built(file, start.values, start.model)
    if values.get("flip") and not card.horizontal_flip:
        return "it mirrors images, which the card does not allow (horizontal_flip)"
    return refusal(model, values, dataset.spec, file.constraints)


def is_new(start: StartSetting, others: Iterable[StartSetting], file: SearchSpaceFile) -> bool:
    """Whether a setting comes to something else than all others."""
    own = comes_to(*built(file, start.values, start.model))
    return all(own != comes_to(*built(file, one.values, one.model)) for one in others)


def _starts(
    name: str, file: SearchSpaceFile, card: Card, dataset: Dataset, split: SplitSettings
) -> Iterator[tuple[StartSetting | str, str]]:
    """The settings of a name, each with what is doubtful; its name, and why it is left out."""
    if name == DEFAULTS and is_own(file.model):
        yield name, f": {file.model} has default values of its own"
    elif name == DEFAULTS:
        for family in each_family(file):
            values = usual_values(family)
            origin = f"{name} of {family.name}" if file.families else name
            yield StartSetting(origin=origin, values=in_family(file, family, values)), ""
    elif name == BASELINE:
        stated = stated_baseline(card, dataset.spec.height, dataset.spec.width)
        yield as_start(name, stated.model, stated.values, file), ""
    else:
        path = _recipe_file(name, file)
        recipe = read_recipe(path)
        # A folder may be named by `.` alone.
        start = as_start(Path(name).resolve().name, recipe.model, recipe.values, file)
        is_doubtful = chose_by_test_images(recipe.data, path, dataset, split)
        yield start, _doubt(name) if is_doubtful else ""


def _recipe_file(name: str, file: SearchSpaceFile) -> Path:
    path = Path(name) / RECIPE if Path(name).is_dir() else Path(name)
    if path.is_file():
        return path
    raise ConfigurationError(
        f'{file.name}: start_from names "{name}", which is neither a run nor a recipe',
        f"{did_you_mean_path(Path(name))}name baseline, defaults, {AUTO}, the folder of a finished"
        " run, or a best.yaml.",
    )


def chose_by_test_images(
    data: RecipeData, path: Path, dataset: Dataset, split: SplitSettings
) -> bool:
    """Whether a recipe was chosen on images of which some test now.

    Images are the same where their fingerprint is, and those of one data set's runs, whose
    fingerprint differs where they were brought to another size.

    Args:
        data: What the recipe was made on.
        path: Its file, below `reports/DATASET/RUN`.
        dataset: The data, split.
        split: How they were split.
    """
    # Of RUN/best.yaml and of RUN/models/NAME.yaml.
    runs_of = {parent.name for parent in path.resolve().parents[1:3]}
    is_same = data.fingerprint == dataset.images.fingerprint or dataset.card.name in runs_of
    if not is_same:
        return False
    if data.test_digest:
        return data.test_digest != dataset.split.test_digest
    return not data.split.has_test_part_of(split)


def _doubt(name: str) -> str:
    return (
        f"start_from: {name} was chosen on another split of these images, and some of them are in"
        " the test part now: if it wins, its test score may be too high; use a run with the same"
        " --seed"
    )


def as_start(
    origin: str, model: str, values: Mapping[str, Any], file: SearchSpaceFile
) -> StartSetting:
    """A model's setting as a space has it, or beside it."""
    whole = complete(model, values)
    # The baseline is that family's before it is another one's.
    for family in sorted(each_family(file), key=lambda family: family.name != origin):
        if family.model != model:
            continue
        # As the search would draw it, so that it is not proposed again, and others may be near it.
        drawn = _in_space(whole, family.space)
        is_same = effective(model, drawn) == effective(model, whole)
        if is_same and has_setting(family.space, drawn):
            return StartSetting(origin=origin, values=in_family(file, family, drawn))
    is_only = not file.families and model == file.model
    return StartSetting(origin=origin, values=whole, model=None if is_only else model)


def _in_space(whole: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """A setting by the names of a space: its fixed values, and those of all that is active."""
    return setting_of(
        space, lambda one: whole.get(one.name, whole.get(one.name.rpartition("_")[0]))
    )
