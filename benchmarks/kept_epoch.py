#!/usr/bin/env python3
"""What a training's best epoch promises on few validation images, and what it keeps.

    python benchmarks/kept_epoch.py NAME [--train 140] [--validation 35] [--others 1000]
        [--epochs 18] [--seeds 10] [--data-dir datasets/data]

Two models are trained on a few images of a data set: the CNN family with the usual values of the
data set's space, and a head on EfficientNet-Lite2's features. Each keeps the epoch with the best
accuracy on the validation images. What the kept network is worth, the other images tell.

A line per model and estimate: the mean of estimate minus worth, in points, and its root mean
square. `kept` is the validation accuracy of the kept epoch; `of 3` and `of 5` are the means of
that many epochs around it. A last line per estimate: how often it names the better model of a pair
of trainings (of all seeds with all seeds), and what the named one is worth on average.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
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
from tuner.space.definition import SplitSettings
from tuner.space.parsing.parse import load_space
from tuner.training.compiled import optimizer

SPACES = Path(__file__).resolve().parent.parent / "search_spaces"
WIDTHS = {"kept": 0, "of 3": 1, "of 5": 2}

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
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data-dir", type=Path, default=Path("datasets/data"))
    options = parser.parse_args()
    prepare_devices(1)
    curves: dict[str, list[Curve]] = {"cnn": [], "head": []}
    for seed in range(options.seeds):
        for model, curve in trained(seed, options):
            curves[model].append(curve)
    for name, width in WIDTHS.items():
        found = {m: [judged(curve, width) for curve in of_model] for m, of_model in curves.items()}
        for model, pairs in found.items():
            errors = 100 * np.array([estimate - worth for estimate, worth in pairs])
            rms = np.sqrt(np.mean(errors**2))
            print(f"{model}, {name}: {errors.mean():+.1f} points, root mean square {rms:.1f}")
        named = [max(cnn, head) for cnn in found["cnn"] for head in found["head"]]
        worths = [
            (cnn[1], head[1], max(cnn, head)[1]) for cnn in found["cnn"] for head in found["head"]
        ]
        right = fmean(chosen == max(cnn, head) for cnn, head, chosen in worths)
        worth = fmean(one[1] for one in named)
        print(f"{name}: names the better one in {right:.0%}; worth {worth:.1%}", flush=True)


def judged(curve: Curve, width: int) -> tuple[float, float]:
    """What the kept epoch and `width` epochs on each side of it promise, and what it is worth."""
    validation = [promised for promised, _ in curve]
    kept = validation.index(max(validation))
    around = validation[max(0, kept - width) : kept + width + 1]
    return fmean(around), curve[kept][1]


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
    for _ in range(options.epochs):
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
