"""Data made to fit a recipe: its size of images, its range of values, its order of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_folders
from tuner.data.dataset import Dataset, SealedLabels, load_dataset, pixel_statistics
from tuner.data.decoding.value_range import range_words
from tuner.data.own.resolve import resolve
from tuner.data.resized import resized
from tuner.errors import DataError, MissingDataError
from tuner.names import first_of
from tuner.pipeline.preparation.compatibility import refuse_flip
from tuner.production.recipe_images import recipe_settings
from tuner.records.sealed_recipe import Recipe
from tuner.space.split_settings import SplitSettings

# Classes that a message names.
_SHOWN = 5


def load_fitting(
    recipe: Recipe,
    recipe_file: Path,
    other: str | None,
    data_dir: Path,
    labels: Path | None = None,
    *,
    all_images: bool = False,
) -> tuple[Dataset, list[str]]:
    """Load the recipe's data or others, as the recipe's model takes them.

    Args:
        recipe: States size, channels, background, range of values and classes.
        recipe_file: Where it stands.
        other: Other data; None takes the recipe's own.
        data_dir: Root of the data.
        labels: A list of corrected labels; None takes the recipe's for the recipe's own data.
        all_images: Whether a preset's ceilings are lifted; the same images test.

    Returns:
        The data, and what was done to make them fit, in a line each.

    Raises:
        ConfigurationError: If the recipe mirrors images whose class may change with it.
        DataError: If the data are missing, or of other classes, or cannot be made to fit.
    """
    settings = split_asked(recipe, other)
    if all_images:
        settings = replace(settings, max_train=None, max_validation=None)
    labels = labels_asked(recipe, other, labels)
    try:
        card = resolve(other or recipe.data.name, card_folders(), data_dir)
        return _fitting(card, recipe, recipe_file, other, _Asked(data_dir, settings, labels))
    except MissingDataError as error:
        if other:
            raise
        raise MissingDataError(
            f"{error.message}; the recipe names it",
            "start from the folder that the run was started in, or name where the data are now: "
            "--data PATH, or --data-dir for the root of the data.",
        ) from error


def _values_of_members(recipe: Recipe) -> Iterator[Mapping[str, Any]]:
    for member in recipe.combination.members if recipe.combination else ():
        yield member.values


def labels_asked(recipe: Recipe, other: str | None, labels: Path | None) -> Path | None:
    """The list of corrected labels: one that is given, or the recipe's for its own data."""
    own = recipe.data.labels if other is None else None
    return labels or (Path(own) if own else None)


class _Asked(NamedTuple):
    """Where data are loaded from, and how."""

    data_dir: Path
    settings: SplitSettings
    labels: Path | None

    def load(self, card: Card) -> Dataset:
        return load_dataset(card, *self)


def _fitting(
    card: Card, recipe: Recipe, recipe_file: Path, other: str | None, asked: _Asked
) -> tuple[Dataset, list[str]]:
    views = recipe.combination.views if recipe.combination else ()
    if any(values.get("flip") for values in (recipe.values, *_values_of_members(recipe))):
        refuse_flip(card, f"{recipe_file}: flip is true", "set flip: false in the recipe")
    if any(view.is_mirrored for view in views):
        refuse_flip(
            card, f"{recipe_file}: views are mirrored", "leave the mirrored views out of the recipe"
        )
    wanted = recipe_settings(recipe)
    own = (card.image.height, card.image.width, card.image.channels)
    # Files are decoded in any size; tables of pixels and arrays come in one of their own.
    if card.files.has_image_files:
        card = _with_image(card, **wanted.model_dump(exclude={"value_range"}))
    dataset = asked.load(card)
    found, then = dataset.images.used_range, recipe.data.value_range
    if found is not None and then is None:
        raise DataError(
            f"{card.name}: its images hold more than 8 bits ({range_words(found)}), but the recipe "
            "does not say which of their values are black and white",
            f"write `value_range: [{found[0]:g}, {found[1]:g}]` under data in {recipe_file}, or"
            " search again on these data with `python -m tuner run`.",
        )
    if found is not None and then is not None and found != then:
        dataset = asked.load(_with_image(card, value_range=wanted.value_range))
    if dataset.spec.shape != wanted.shape:
        dataset = _resized(dataset, recipe)
    notes = []
    if other and own != wanted.shape:
        notes.append(
            f"images are resized to {_words(*wanted.shape)}, as in the recipe (they are"
            f" {_words(*own)})"
        )
    if found is not None and then is not None and found != then:
        notes.append(
            f"values {range_words(then)} become 0 to 255, as in the recipe ({range_words(found)}"
            " would fit)"
        )
    return _in_order(dataset, recipe), notes


def split_asked(recipe: Recipe, other: str | None) -> SplitSettings:
    """How the recipe's data are split, or others, of which a limit, say, was not asked."""
    return SplitSettings(seed=recipe.data.split.seed) if other else recipe.data.split


def _with_image(card: Card, **fields: object) -> Card:
    return card.model_copy(update={"image": card.image.model_copy(update=fields)})


def _words(height: int, width: int, channels: int) -> str:
    return f"{height} x {width} {'grey' if channels == 1 else 'colour'}"


def _resized(dataset: Dataset, recipe: Recipe) -> Dataset:
    images = resized(dataset.images, recipe_settings(recipe))
    mean, std = pixel_statistics(images.images, dataset.split.train)
    height, width, channels = recipe.image.shape
    spec = replace(dataset.spec, height=height, width=width, channels=channels, mean=mean, std=std)
    return replace(dataset, images=images, spec=spec)


def _in_order(dataset: Dataset, recipe: Recipe) -> Dataset:
    """The data with the recipe's class numbers; names decide, whatever their order."""
    now, then = dataset.spec.class_names, recipe.image.class_names
    if now == then:
        return dataset
    new, missing = (
        [name for name in ours if name not in theirs] for ours, theirs in ((now, then), (then, now))
    )
    if new or missing:
        parts = [
            f"{word} {_named(names)}"
            for word, names in (("new", new), ("missing", missing))
            if names
        ]
        raise DataError(
            f"{dataset.card.name}: its classes differ from those of the recipe: {'; '.join(parts)}",
            f"use data of the same classes, {_renaming(new, missing)}or search again on these data"
            " with `python -m tuner run`.",
        )
    numbers = np.array([then.index(name) for name in now], dtype=np.int64)
    labels = numbers[dataset.images.labels]
    return replace(
        dataset,
        images=replace(dataset.images, labels=labels, class_names=then),
        spec=replace(dataset.spec, class_names=then),
        test_labels=SealedLabels(labels[dataset.split.test]),
    )


def _renaming(new: list[str], missing: list[str]) -> str:
    """What to do where one class has another name, as far as names show it."""
    if (len(new), len(missing)) != (1, 1):
        return ""
    return (
        f'write "{new[0]}" for "{missing[0]}" under class_names in the recipe if it is the same'
        " class, "
    )


def _named(names: list[str]) -> str:
    return first_of([f'"{name}"' for name in names], _SHOWN)
