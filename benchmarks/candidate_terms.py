#!/usr/bin/env python3
"""What a new term of the CNN family would change: validation accuracy over seeds, equal epochs.

    python benchmarks/candidate_terms.py NAME [--only residual lion ...] [--train 4000]
        [--validation 2000] [--epochs 10] [--seeds 3] [--precision float32]
        [--data-dir datasets/data]

The base is the family with the usual values of the data set's space, mirrored images and adamw.
Each candidate changes one thing of it, on the same images with the same seeds. A line tells the
mean accuracy after the last epoch, the mean difference to the base in points with its 95 % interval
over the seeds (Student's t), and the median time of an epoch as a ratio to the base's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tuner.backend import environment

environment.prepare()

import keras
import numpy as np
from keras import layers
from scipy import stats

from tuner.backend.active import backend, precision, prepare_devices
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.dataset import load_dataset
from tuner.models.cnn import BATCH_NORM_MOMENTUM, build
from tuner.models.preprocessing import normalization_layers
from tuner.models.registry import complete
from tuner.pipeline.preparation.start_settings import start_settings
from tuner.planning.affordable import DEFAULTS
from tuner.records.image import ImageSpec
from tuner.space.parsing.parse import load_space
from tuner.space.split_settings import SplitSettings
from tuner.training.compiled import optimizer

Values = Mapping[str, Any]

SPACES = Path(__file__).resolve().parent.parent / "search_spaces"


def convolution(x: Any, filters: int, kernel: int, *, is_separable: bool = False) -> Any:
    """Convolution and BatchNormalization."""
    layer = layers.SeparableConv2D if is_separable else layers.Conv2D
    x = layer(filters, kernel, padding="same", use_bias=False)(x)
    return backend.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)


def network(
    values: Values,
    spec: ImageSpec,
    *,
    has_second: bool = True,
    is_residual: bool = False,
    separable: str = "none",
) -> keras.Model:
    """The base, with a second convolution in each block unless it is left out.

    Args:
        values: Of the base.
        spec: Of the images.
        has_second: Whether a block has a second convolution.
        is_residual: Whether a shortcut goes around the second (He et al., 2016).
        separable: Which convolutions are separable (Chollet, 2017): `none`, `second` (ones), or
            `later` (than the first block).
    """
    x = inputs = layers.Input(spec.shape)
    for layer in normalization_layers(values["normalization"], spec):
        x = layer(x)
    for block in range(values["conv_blocks"]):
        filters, kernel = (
            values.get(f"{name}_{block}", values[name]) for name in ("filters", "kernel_size")
        )
        is_later = separable == "later" and block > 0
        x = convolution(x, filters, kernel, is_separable=is_later)
        if has_second:
            first = layers.ReLU()(x)
            x = convolution(first, filters, kernel, is_separable=separable == "second")
            x = layers.Add()([first, x]) if is_residual else x
        x = layers.ReLU()(layers.MaxPooling2D(2)(x))
    flat = values["pooling"] == "flatten"
    x = (layers.Flatten() if flat else layers.GlobalAveragePooling2D())(x)
    x = backend.Dropout(values["dropout"])(x)
    x = layers.Dense(values["dense_units"] or 128, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(spec.n_classes, "softmax", dtype="float32")(x))


def lion(values: Values) -> keras.optimizers.Optimizer:
    """A tenth to a third of adamw's rate, and the decay times as much more (Chen et al., 2023)."""
    return keras.optimizers.Lion(values["learning_rate"] / 5, weight_decay=0.05)


def muon(values: Values) -> keras.optimizers.Optimizer:
    """Keras': the orthogonal step for dense layers, adamw's for all others."""
    return keras.optimizers.Muon(values["learning_rate"], weight_decay=0.01, adam_weight_decay=0.01)


def schedule_free(values: Values) -> keras.optimizers.Optimizer:
    """Defazio et al., 2024, with two and a half times adamw's rate, as Keras has by default."""
    return keras.optimizers.ScheduleFreeAdamW(2.5 * values["learning_rate"], weight_decay=0.01)


def cut_mix(spec: ImageSpec) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Yun et al., 2019."""
    layer = layers.CutMix()

    def mixed(images: Any, targets: Any) -> tuple[Any, Any]:
        found = layer({"images": images.astype("float32"), "labels": targets}, training=True)
        return np.asarray(found["images"]), np.asarray(found["labels"])

    return mixed


def rand_augment(spec: ImageSpec) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Cubuk et al., 2020; Keras' layer needs three channels."""
    layer = layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.3)

    def augmented(images: Any, targets: Any) -> tuple[Any, Any]:
        three = np.repeat(images, 3, axis=-1) if spec.channels == 1 else images
        found = np.asarray(layer(three.astype("float32"), training=True))
        return found[..., : spec.channels], targets

    return augmented


BUILDS: Mapping[str, Callable[[Values, ImageSpec], keras.Model]] = {
    "two_convs": network,
    "residual": partial(network, is_residual=True),
    "second_separable": partial(network, separable="second"),
    "separable": partial(network, has_second=False, separable="later"),
}
OPTIMIZERS = {"lion": lion, "muon": muon, "schedule_free": schedule_free}
MIXES = {"cut_mix": cut_mix, "rand_augment": rand_augment}
CHANGED_VALUES: Mapping[str, Values] = {
    "base": {},
    "global_average": {"pooling": "global_average"},
}


def main() -> None:
    """Print a line for each candidate."""
    names = [*CHANGED_VALUES, *BUILDS, *OPTIMIZERS, *MIXES]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("--only", nargs="+", choices=names[1:], default=names[1:])
    parser.add_argument("--train", type=int, default=4000)
    parser.add_argument("--validation", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--precision", choices=("float32", "mixed_bfloat16"), default="mixed_bfloat16"
    )
    parser.add_argument("--data-dir", type=Path, default=Path("datasets/data"))
    options = parser.parse_args()
    prepare_devices(1)
    accuracies: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for name in ["base", *options.only]:
        runs = [train(name, seed, options) for seed in range(options.seeds)]
        accuracies[name] = [accuracy for accuracy, _ in runs]
        seconds[name] = statistics.median(duration for _, duration in runs)
        differences = np.subtract(accuracies[name], accuracies["base"]) * 100
        text = f"{name}: {100 * statistics.fmean(accuracies[name]):.1f} %"
        if name != "base":
            half = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
            mean = differences.mean()
            text += f", {mean:+.1f} points [{mean - half:+.1f}, {mean + half:+.1f}]"
            text += f", {seconds[name] / seconds['base']:.2f} times as long"
        print(text, flush=True)


def train(name: str, seed: int, options: argparse.Namespace) -> tuple[float, float]:
    """Validation accuracy after the last epoch, and the median seconds of an epoch."""
    card = load_card(options.name, card_folders())
    split = SplitSettings(seed=seed, max_train=options.train, max_validation=options.validation)
    dataset = load_dataset(card, options.data_dir, split)
    space = replace(load_space(SPACES / f"{options.name}.yaml"), start_from=(DEFAULTS,))
    (usual,) = start_settings(space, card, dataset, split).settings
    values = complete("cnn", {**usual.values, **CHANGED_VALUES.get(name, {})})
    keras.utils.set_random_seed(seed)
    with precision(options.precision):
        model = BUILDS.get(name, build)(values, dataset.spec)
    model.compile(OPTIMIZERS.get(name, optimizer)(values), "categorical_crossentropy")
    mix = MIXES[name](dataset.spec) if name in MIXES else None
    part = {p: np.sort(getattr(dataset.split, p)) for p in ("train", "validation")}
    one_hot = np.eye(dataset.spec.n_classes, dtype="float32")[dataset.images.labels]
    images = {p: np.asarray(dataset.images.images[rows]) for p, rows in part.items()}
    labels = {p: one_hot[rows] for p, rows in part.items()}
    rng, durations = np.random.default_rng(seed), []
    for _ in range(options.epochs):
        start = time.perf_counter()
        for rows in batches(len(labels["train"]), values["batch_size"], rng):
            x, y = images["train"][rows], labels["train"][rows]
            x = np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x, x[:, :, ::-1])
            model.train_on_batch(*(mix(x, y) if mix else (x, y)))
        durations.append(time.perf_counter() - start)
    if name == "schedule_free":
        use_average(model)
    guessed = model.predict(images["validation"], batch_size=256, verbose=0).argmax(1)
    return float(np.mean(guessed == labels["validation"].argmax(1))), statistics.median(durations)


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """All images once, in batches of one size."""
    order = rng.permutation(n)
    return (order[i : i + size] for i in range(0, n - size + 1, size))


def use_average(model: keras.Model) -> None:
    """Put the averaged weights x in the place of the trained y = 0.1 z + 0.9 x."""
    used = model.optimizer
    for variable, z in zip(model.trainable_variables, used._momentums, strict=True):
        variable.assign((variable - (1 - used.beta_1) * z) / used.beta_1)


if __name__ == "__main__":
    main()
