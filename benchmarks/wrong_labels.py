"""Flip labels on purpose, and count how many of them `tuner labels` lists.

2 % of the labels that train or validate become another class, drawn at random. The recipe is the
data set's own baseline: no search knows the right labels. Printed for each seed: how many labels
are listed, which share of the list was flipped (precision) and which share of the flipped ones is
listed (recall), the same for the k first of the list where k labels were flipped (precision and
recall are equal there), and how many wrong labels were estimated.

    python benchmarks/wrong_labels.py digits drawn_faces --seeds 3
    python benchmarks/wrong_labels.py fer2013 --limit 2000 --share 0 --keep /tmp/fer

With `--share 0` nothing is flipped: what is listed are the labels that the data themselves have.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np

from tuner.backend import environment
from tuner.commands.labels import ListedLabels, labels
from tuner.cores import n_cores
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.dataset import Dataset, load_dataset
from tuner.names import text_of_cell
from tuner.pipeline.run_options import DATA_ROOT
from tuner.pipeline.versions import versions
from tuner.production.labels_options import LabelsOptions
from tuner.records.events import Event
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.space.split_settings import SplitSettings
from tuner.store.recipe_file import write_recipe


def main() -> None:
    """Print a line for each data set and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--keep", type=Path, help="where lists and pages stay")
    parser.add_argument("--data-dir", type=Path, default=DATA_ROOT)
    options = parser.parse_args()
    environment.prepare()
    for name in options.datasets:
        split = SplitSettings(seed=0, limit=options.limit)
        dataset = load_dataset(load_card(name, card_folders()), options.data_dir, split)
        for seed in range(options.seeds if options.share else 1):
            with tempfile.TemporaryDirectory() as scratch:
                folder = (options.keep or Path(scratch)) / f"{name}-{seed}"
                _show(name, seed, dataset, split, folder, options)


def _show(
    name: str,
    seed: int,
    dataset: Dataset,
    split: SplitSettings,
    folder: Path,
    options: argparse.Namespace,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    flipped = _flip(dataset, options.share, seed, folder / "flipped.csv")
    recipe = _recipe(name, dataset, split, options.epochs, seed)
    write_recipe(recipe, folder / "best.yaml", "Of a benchmark.")
    found = labels(
        LabelsOptions(
            source=folder / "best.yaml",
            folds=options.folds,
            labels=folder / "flipped.csv",
            threads=n_cores(),
            data_dir=options.data_dir,
            may_replace=True,
        ),
        _quiet,
    )
    print(f"{name}, seed {seed}: {_words(found, flipped)}", flush=True)


def _words(found: ListedLabels, flipped: set[str]) -> str:
    with found.table.open(encoding="utf-8", newline="") as file:
        # The flipped labels that are not listed stand at the end, without rank: the list keeps
        # what an earlier one has changed.
        listed = [text_of_cell(row["image"]) for row in csv.DictReader(file) if row["rank"]]
    counted = (
        f"{found.n_listed} of {found.n} listed, {found.n_expected:.0f} estimated, out-of-fold"
        f" accuracy {found.accuracy:.1%}"
    )
    if not flipped:
        return f"{counted}; look at {found.page}"
    hits = len(flipped.intersection(listed))
    first = len(flipped.intersection(listed[: len(flipped)]))
    return (
        f"{len(flipped)} flipped; {counted}; precision {hits / max(1, len(listed)):.2f}, recall"
        f" {hits / len(flipped):.2f}; first {len(flipped)}: {first / len(flipped):.2f}"
    )


def _flip(dataset: Dataset, share: float, seed: int, path: Path) -> set[str]:
    """Write a list that gives a share of the labels another class; returns its images."""
    rng = np.random.default_rng([seed, 20])
    images, folds = dataset.images, dataset.split.folds
    pool = np.unique(np.concatenate([np.r_[fold.train, fold.validation] for fold in folds]))
    chosen = rng.choice(pool, round(share * len(pool)), replace=False)
    n_classes = len(images.class_names)
    moved = (images.labels[chosen] + rng.integers(1, n_classes, len(chosen))) % n_classes
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        for row, label in zip(chosen.tolist(), moved.tolist(), strict=True):
            writer.writerow([images.origins[row], images.class_names[label]])
    return {images.origins[row] for row in chosen}


def _recipe(name: str, dataset: Dataset, split: SplitSettings, epochs: int, seed: int) -> Recipe:
    baseline = dataset.card.baseline
    assert baseline is not None, f"{name} has no baseline"
    (fold, *_) = dataset.split.folds
    return Recipe(
        model=baseline.model,
        values=baseline.values,
        image=dataset.spec,
        data=RecipeData(
            name=name,
            fingerprint=dataset.images.fingerprint,
            n_train=len(fold.train),
            n_validation=len(fold.validation),
            n_test=dataset.split.n_test,
            split=split,
        ),
        seed=seed,
        max_epochs=epochs,
        patience=None,
        schedule="constant",
        monitor="val_accuracy",
        direction="max",
        epochs=epochs,
        validation_score=None,
        # Nothing was scored: the test part stays sealed.
        test_accuracy=None,
        versions=versions(),
        title=baseline.title,
    )


def _quiet(event: Event) -> None:
    del event


if __name__ == "__main__":
    main()
