"""What is not as it was when a recipe was sealed: its text, the code, the packages, the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tuner.data.dataset import Dataset
from tuner.data.images import Images
from tuner.data.splits.fold import Fold
from tuner.names import first_of, printable
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
from tuner.store.files.reading import DamagedFileError
from tuner.store.recipe_file import edited_values, is_edited
from tuner.store.run_folder import RunFolder
from tuner.store.split_table import SplitRow, read_split

# Files that a message names.
_SHOWN = 5


def code_changes(recipe: Recipe, path: Path) -> list[str]:
    """What differs before data are looked at, in a line each; nothing where all is the same.

    Args:
        recipe: As it was read.
        path: Its file.
    """
    changes = _code_changes(recipe, path)
    return [f"changed since the recipe was written: {text}" for text in changes]


def _code_changes(recipe: Recipe, path: Path) -> Iterator[str]:
    if is_edited(path):
        yield f"{path}, which was edited"
        run = _run_of(path)
        yield from edited_values(path, [run.recipe, *sorted(run.models.glob("*.yaml"))])
    yield from _differing(recipe.versions, versions())
    if recipe.builder:
        yield from _builder_changes(recipe.builder, builder_digests(_networks(recipe)))
    # Either is None where a download is not at hand, which says nothing of its content.
    then = recipe.weights_digest
    now = digest_of_weights(_networks(recipe)) if then else None
    if now and now != then:
        yield "the pretrained weights"


def data_changes(recipe: Recipe, path: Path, dataset: Dataset, fold: Fold) -> Iterator[str]:
    """What of the data differs, in a line each; nothing where all is the same.

    Args:
        recipe: As it was read.
        path: Its file; the images of its run are listed beside it, unless it was moved.
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
    if dataset.images.fingerprint != data.fingerprint:
        yield from _image_changes(dataset.images, _split_beside(path), data.fingerprint)
    elif data.split_digest and data.split_digest != split_digest(fold, split):
        yield "the same images are split into other parts now"


def _split_beside(recipe: Path) -> list[SplitRow]:
    """The images of a recipe's run; none if the recipe has left it, or its list is damaged."""
    try:
        return read_split(_run_of(recipe).path, hint="")
    except DamagedFileError:
        return []


def _run_of(recipe: Path) -> RunFolder:
    above = RunFolder(recipe.parent.parent)
    return above if above.models == recipe.parent else RunFolder(recipe.parent)


def _image_changes(images: Images, then: Sequence[SplitRow], fingerprint: str) -> Iterator[str]:
    """Which files differ. Rows of a table have numbers for names, which move with each edit."""
    prints = f"(fingerprint {images.fingerprint[:12]}, {fingerprint[:12]} then)"
    if not (then and images.files):
        yield f"images or labels changed {prints}"
        return
    before = {row.image: row.label for row in then}
    classes = images.labels.tolist()
    now = {
        image: images.class_names[label]
        for image, label in zip(images.origins, classes, strict=True)
    }
    moved = [image for image in now if before.get(image, now[image]) != now[image]]
    found = [
        _counted("new image file", [image for image in now if image not in before]),
        _counted("missing image file", [image for image in before if image not in now]),
        _counted("image file", moved, " of another class"),
    ]
    yield from filter(None, found)
    if not any(found):
        yield f"the files and their classes are the same, but pixels or parts changed {prints}"


def _counted(what: str, names: Sequence[str], how: str = "") -> str:
    if not names:
        return ""
    # Names of the data are printable already; split.csv may hold any.
    shown = [name if name.isprintable() else printable(name) for name in names]
    return f"{plural(len(names), what)}{how}: {first_of(shown, _SHOWN)}"


def _networks(recipe: Recipe) -> tuple[Built, ...]:
    return networks_of(recipe.model, recipe.values, recipe.combination)


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            is_now = f"is {now[name]}" if name in now else "is not installed"
            yield f"{name} {is_now}, was {then.get(name, 'not installed')}"


def _builder_changes(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            what = "new" if name not in then else "gone" if name not in now else "edited"
            yield f"{name}, which builds the model, is {what}"
