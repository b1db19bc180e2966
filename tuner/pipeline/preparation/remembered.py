"""`start_from: auto`: the winners of earlier runs on similar data.

Good settings carry over between data sets that are alike, and the number of classes, of images and
of pixels tell much of how alike they are (Feurer, Springenberg and Hutter, AAAI 2015, begin
searches so).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError
from tuner.pipeline.preparation.start_settings import (
    AUTO,
    StartSettings,
    as_start,
    chose_by_test_images,
    is_new,
    problem,
)
from tuner.records.sealed_recipe import Recipe
from tuner.records.trial import StartSetting
from tuner.report.text import plural
from tuner.retrain.contenders import TUNED
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import each_family
from tuner.space.split_settings import SplitSettings
from tuner.store.files.reading import DamagedFileError
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder

# Each is a whole training that the method's budget does not count.
MOST = 3
# Of `distance`: images of twice the side with twice the classes are 1.4 from each other, eight by
# eight digits from photos of faces 3.6.
FARTHEST = 2.5
_OTHER_CHANNELS = 0.5

_KEY = "remembered"
_STARTS = TypeAdapter(tuple[StartSetting, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Winner:
    """The winner of an earlier run.

    Attributes:
        origin: Data set and run, such as `digits/20260131-101500-0a1b2c3d`.
        path: Its recipe's file.
        recipe: Its recipe.
    """

    origin: str
    path: Path
    recipe: Recipe


def remembered(
    file: SearchSpaceFile,
    card: Card,
    dataset: Dataset,
    split: SplitSettings,
    out: Path,
    stated: StartSettings,
) -> StartSettings:
    """What `auto` stands for: the winners of the most similar runs, at most `MOST` that differ.

    Args:
        file: The space; without `auto` among its starts nothing is looked for.
        card: Of the data set.
        dataset: The data, split.
        split: How they were split.
        out: Root of the reports.
        stated: The settings that the search begins with anyway.
    """
    if AUTO not in file.start_from:
        return StartSettings()
    found: list[StartSetting] = []
    notices: list[str] = []
    models = {family.model for family in each_family(file)}
    for winner in _similar(out, dataset):
        if len(found) == MOST or winner.recipe.model not in models:
            continue
        start = as_start(winner.origin, winner.recipe.model, winner.recipe.values, file)
        if chose_by_test_images(winner.recipe.data, winner.path, dataset, split):
            reason: str | None = (
                "it was chosen on images that are in the test part now (another --seed)"
            )
        else:
            reason = problem(start, file, card, dataset)
        if reason is not None:
            notices.append(f"start_from: {AUTO} leaves out {winner.origin}: {reason}")
        elif is_new(start, [*stated.settings, *found], file):
            found.append(start)
            notices.append(f"start_from: {AUTO} uses {winner.origin} ({_told(winner.recipe)})")
    if not found:
        notices.append(f"start_from: {AUTO} uses no run below {out}")
    return StartSettings(settings=tuple(found), notices=tuple(notices))


def kept(starts: tuple[StartSetting, ...]) -> dict[str, Any]:
    """What config.yaml keeps, so that a resumed run has the same starts."""
    return {_KEY: _STARTS.dump_python(starts, mode="json")} if starts else {}


def read_remembered(config: Mapping[str, Any], where: str) -> tuple[StartSetting, ...]:
    """What an unfinished run began with.

    Args:
        config: What config.yaml holds.
        where: Begins the message.

    Raises:
        DamagedFileError: If it holds none that a run has written.
    """
    try:
        return _STARTS.validate_python(config.get(_KEY, ()))
    except ValidationError as error:
        raise DamagedFileError(
            f"{where}: {_KEY} does not hold settings that a run wrote, so the run cannot be"
            " resumed",
            "restore the file, or start again with --fresh.",
        ) from error


def distance(recipe: Recipe, dataset: Dataset) -> float:
    """How far a recipe's data are from others: logarithms of the ratios of what counts.

    The number of images counts half: it spans the most, and changes least.
    """
    then, now = recipe.image, dataset.spec
    return (
        abs(math.log(then.n_classes / now.n_classes))
        + abs(math.log(max(then.shape[:2]) / max(now.shape[:2])))
        + abs(math.log(max(1, recipe.data.n_train) / len(dataset.split.folds[0].train))) / 2
        + (_OTHER_CHANNELS if then.channels != now.channels else 0.0)
    )


def _similar(out: Path, dataset: Dataset) -> list[_Winner]:
    """Winners on similar data, the nearest first; of equally near ones the newest."""
    found = [(distance(winner.recipe, dataset), winner) for winner in _winners(out)]
    near = [pair for pair in found if pair[0] <= FARTHEST]
    return [winner for _, winner in sorted(near, key=lambda pair: pair[0])]


def _winners(out: Path) -> Iterator[_Winner]:
    """Of all finished runs that have one, the newest first."""
    for path in sorted(out.glob("*/*/"), key=lambda path: path.name, reverse=True):
        folder = RunFolder(path)
        try:
            # A search alone leaves its winner's recipe in that place.
            file = next(filter(Path.is_file, [folder.recipe_of(TUNED), folder.recipe]), None)
            if file is not None and not folder.is_unfinished:
                origin = "/".join(path.parts[-2:])
                yield _Winner(origin=origin, path=file, recipe=read_recipe(file))
        except (ConfigurationError, OSError):
            # A damaged run must not stop another one.
            continue


def _told(recipe: Recipe) -> str:
    height, width = recipe.image.shape[:2]
    classes = plural(recipe.image.n_classes, "class", "classes")
    images = plural(recipe.data.n_train, "training image")
    return f"{classes}, {images} of {width} x {height} pixels"
