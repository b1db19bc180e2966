#!/usr/bin/env python3
"""What a training's best epoch promises on few validation images, and what it keeps.

    python benchmarks/kept_epoch.py NAME [--train 140] [--validation 35] [--others 1000]
        [--epochs 5 18] [--seeds 10] [--data-dir datasets/data]

Two models are trained on a few images of a data set: the CNN family with the usual values of the
data set's space, and a head on EfficientNet-Lite2's features. Each keeps the epoch with the best
accuracy on the validation images. What the kept network is worth, the other images tell.

For each number of epochs, a line per model and estimate: the mean of estimate minus worth, in
points, and its root mean square. `kept` is the validation accuracy of the kept epoch, `mean` that
of the five epochs around it, and `line` what a straight line through those five says of the kept
one. A last line per estimate: how often it names the better model of a pair of trainings (of all
seeds with all seeds), and what the named one is worth on average.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import fmean

from tuner.backend import environment

environment.prepare()

import keras
import numpy as np

from tuner.backend.active import prepare_devices
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.dataset import load_dataset
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.classifier import build_extractor, build_head
from tuner.models.cnn import build
from tuner.models.registry import complete
from tuner.pipeline.preparation.start_settings import start_settings
from tuner.planning.affordable import DEFAULTS
from tuner.space.parsing.parse import load_space
from tuner.space.split_settings import SplitSettings
from tuner.training.compiled import optimizer

SPACES = Path(__file__).resolve().parent.parent / "search_spaces"

# Accuracies after each epoch, on the validation images and on the others.
Curve = list[tuple[float, float]]


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("--train", type=int, default=140)
    parser.add_argument("--validation", type=int, default=35)
    parser.add_argument("--others", type=int, default=1000)
    parser.add_argument("--epochs", type=int, nargs="+", default=[5, 18])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data-dir", type=Path, default=Path("datasets/data"))
    options = parser.parse_args()
    prepare_devices(1)
    curves: dict[str, list[Curve]] = {"cnn": [], "head": []}
    for seed in range(options.seeds):
        for model, curve in trained(seed, options):
            curves[model].append(curve)
    for n_epochs in options.epochs:
        print(f"{n_epochs} epochs")
        short = {model: [curve[:n_epochs] for curve in found] for model, found in curves.items()}
        for name, estimate in ESTIMATES.items():
            show(name, {m: [judged(curve, estimate) for curve in c] for m, c in short.items()})


def show(name: str, found: dict[str, list[tuple[float, float]]]) -> None:
    """The lines of one estimate, given each training's estimate and worth."""
    for model, pairs in found.items():
        errors = 100 * np.array([estimate - worth for estimate, worth in pairs])
        rms = np.sqrt(np.mean(errors**2))
        print(f"  {model}, {name}: {errors.mean():+.1f} points, root mean square {rms:.1f}")
    pairs_of = list(product(found["cnn"], found["head"]))
    right = fmean(max(cnn, head)[1] == max(cnn[1], head[1]) for cnn, head in pairs_of)
    worth = fmean(max(cnn, head)[1] for cnn, head in pairs_of)
    print(f"  {name}: names the better one in {right:.0%}; worth {worth:.1%}", flush=True)


def judged(curve: Curve, estimate: Callable[[list[float], int], float]) -> tuple[float, float]:
    """What the kept epoch is expected to be worth, and what it is worth."""
    validation = [promised for promised, _ in curve]
    kept = validation.index(max(validation))
    return estimate(validation, kept), curve[kept][1]


def around(validation: list[float], kept: int) -> range:
    """The kept epoch and two on each side, as far as there are."""
    return range(max(0, kept - 2), min(len(validation), kept + 3))


def mean(validation: list[float], kept: int) -> float:
    """The mean of the epochs around."""
    return fmean(validation[i] for i in around(validation, kept))


def line(validation: list[float], kept: int) -> float:
    """The kept epoch on the least squares line of the epochs around; no better than it was."""
    places = around(validation, kept)
    if len(places) < 3:
        return validation[kept]
    slope, height = np.polyfit(places, [validation[i] for i in places], 1)
    return float(min(validation[kept], slope * kept + height))


ESTIMATES = {"kept": lambda validation, kept: validation[kept], "mean": mean, "line": line}


def trained(seed: int, options: argparse.Namespace) -> Iterator[tuple[str, Curve]]:
    """The two models' curves."""
    card = load_card(options.name, card_folders())
    n_seen = options.validation + options.others
    split = SplitSettings(seed=seed, max_train=options.train, max_validation=n_seen)
    dataset = load_dataset(card, options.data_dir, split)
    spec, rng = dataset.spec, np.random.default_rng(seed)
    rows = {
        "train": np.sort(dataset.split.train),
        "seen": rng.permutation(np.sort(dataset.split.validation)),
    }
    images = {part: np.asarray(dataset.images.images[of]) for part, of in rows.items()}
    labels = {part: np.asarray(dataset.images.labels[of]) for part, of in rows.items()}

    space = replace(load_space(SPACES / f"{options.name}.yaml"), start_from=(DEFAULTS,))
    (usual,) = start_settings(space, card, dataset, split).settings
    values = complete("cnn", dict(usual.values))
    keras.utils.set_random_seed(seed)
    network = build(values, spec)
    network.compile(optimizer(values), "categorical_crossentropy")
    yield "cnn", fitted(network, images, labels, values["batch_size"], options, rng, flips=True)

    backbone = BACKBONES["efficientnet_lite2"]
    values = complete(backbone.name, {})
    extractor = build_extractor(backbone, values, spec)
    features = {part: extractor.predict(x, verbose=0) for part, x in images.items()}
    head = build_head(backbone, values, spec)
    head.compile(optimizer(values), "categorical_crossentropy")
    yield "head", fitted(head, features, labels, values["batch_size"], options, rng, flips=False)


def fitted(
    model: keras.Model,
    images: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
    batch_size: int,
    options: argparse.Namespace,
    rng: np.random.Generator,
    *,
    flips: bool,
) -> Curve:
    """The accuracies after each epoch."""
    one_hot = np.eye(model.output_shape[-1], dtype="float32")[labels["train"]]
    curve = []
    for _ in range(max(options.epochs)):
        order = rng.permutation(len(one_hot))
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            x = images["train"][rows]
            if flips:
                x = np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x, x[:, :, ::-1])
            model.train_on_batch(x, one_hot[rows])
        right = model.predict(images["seen"], batch_size=256, verbose=0).argmax(1) == labels["seen"]
        n = options.validation
        curve.append((float(right[:n].mean()), float(right[n:].mean())))
    return curve


if __name__ == "__main__":
    main()
