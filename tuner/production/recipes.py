"""A sealed recipe: where it is, what it imports, and which images it trains on."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

import numpy as np

from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold, drawn_fold
from tuner.errors import ConfigurationError
from tuner.models.kept_builder import make_findable
from tuner.names import printable
from tuner.records.sealed_recipe import Recipe
from tuner.space.documents.spelling import nearest_of
from tuner.store.run_folder import RunFolder


def recipe_path(source: Path, name: str | None = None) -> Path:
    """The recipe of a run's folder, or the file itself.

    Args:
        source: A run's folder, or a recipe in one.
        name: Of one of the run's models; None takes the recommended one, or the file itself.

    Raises:
        ConfigurationError: If there is none.
    """
    path = RunFolder(source).recipe if source.is_dir() else source
    if not path.is_file():
        raise ConfigurationError(
            f"{source}: there is no best.yaml, so this is not a finished run",
            "give the folder of a finished run, such as reports/digits/20260131-101500-0a1b2c3d, or"
            " a best.yaml.",
        )
    if name is None:
        return path
    names = model_names(path)
    if name not in names:
        raise ConfigurationError(
            f'{source}: there is no model "{printable(name)}"', _other_names(name, names)
        )
    return RunFolder(path.parent).recipe_of(name)


def model_names(recipe: Path) -> list[str]:
    """Names of the models that a run keeps.

    Args:
        recipe: The run's best.yaml.
    """
    return sorted(path.stem for path in RunFolder(recipe.parent).models.glob("*.yaml"))


def _other_names(name: str, names: list[str]) -> str:
    """What may be given in place of a name that no model has."""
    if not names:
        return "leave --model out: this run keeps one model, without a name."
    near = nearest_of(name, names)
    meant = f'did you mean "{near}"? ' if near else ""
    return f"{meant}the run keeps {', '.join(names)}."


def import_notice(model: str) -> str | None:
    """What a recipe of your own model imports, told before it is imported; None if built in."""
    module, is_own, function = model.partition(":")
    if not is_own:
        return None
    # As the builder is found: the working directory first, then what is installed.
    make_findable(module)
    spec = PathFinder.find_spec(module.partition(".")[0], [str(Path.cwd()), *sys.path])
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    place = printable(next(filter(None, places), "not found yet"))
    return f"this recipe runs code: it imports {module} ({place}) and calls its {function}"


def fold_of(recipe: Recipe, dataset: Dataset) -> Fold:
    """What the recipe's model was trained on; other data may have fewer folds."""
    folds, data = dataset.split.folds, recipe.data
    return drawn_fold(folds[data.fold % len(folds)], data.max_train_images, data.draw_seed)


def full_fold(recipe: Recipe, dataset: Dataset) -> Fold:
    """All images but those that test as training images, however few trained the recipe's model."""
    folds = dataset.split.folds
    fold = folds[recipe.data.fold % len(folds)]
    everything = np.sort(np.concatenate([fold.train, fold.validation]))
    return Fold(train=everything, validation=everything[:0])
