"""What is not as it was when a recipe was sealed: its text, the code, the packages, the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold
from tuner.pipeline.outputs.sealing import (
    builder_digests,
    digest_of_weights,
    networks_of,
    split_digest,
)
from tuner.pipeline.versions import versions
from tuner.records.sealed_recipe import Recipe
from tuner.report.text import plural
from tuner.space.families import Built
from tuner.store.recipe_file import is_edited


def code_changes(recipe: Recipe, path: Path) -> Iterator[str]:
    """What differs before data are looked at, in a line each; nothing where all is the same.

    Args:
        recipe: As it was read.
        path: Its file.
    """
    if is_edited(path):
        yield f"{path} was edited after it was written"
    yield from _differing(recipe.versions, versions())
    if recipe.builder:
        yield from _builder_changes(recipe.builder, builder_digests(_networks(recipe)))
    # Either is None where a download is not at hand, which says nothing of its content.
    then = recipe.weights_digest
    now = digest_of_weights(_networks(recipe)) if then else None
    if now and now != then:
        yield "the pretrained weights have changed"


def data_changes(recipe: Recipe, dataset: Dataset, fold: Fold) -> Iterator[str]:
    """What of the data differs, in a line each; nothing where all is the same.

    Args:
        recipe: As it was read.
        dataset: The data now.
        fold: What trains and validates of them.
    """
    data, split = recipe.data, dataset.split
    for name, then, part in (
        ("training", data.n_train, fold.train),
        ("validation", data.n_validation, fold.validation),
        ("test", data.n_test, split.test),
    ):
        if then != len(part):
            yield f"{plural(len(part), f'{name} image')}, {then:,} then"
    now, then_ = dataset.images.fingerprint, data.fingerprint
    if now != then_:
        yield f"images or labels changed (fingerprint {now[:12]}, {then_[:12]} then)"
    elif data.split_digest and data.split_digest != split_digest(fold, split):
        yield "the same images are split into other parts now"


def _networks(recipe: Recipe) -> tuple[Built, ...]:
    return networks_of(recipe.model, recipe.values, recipe.combination)


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            yield f"{name} {now.get(name, 'is not installed')}, {then.get(name, 'none')} then"


def _builder_changes(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            what = "is new" if name not in then else "is gone" if name not in now else "has changed"
            yield f"{name}, which builds the model, {what}"
