#!/usr/bin/env python3
"""One side of `equal_time.py` or `equal_epochs.py`: Keras Tuner's own search until its end.

    python benchmarks/equal_time_peer.py same|stock|bayesian NAME --minutes 90|--epochs 75 --to FILE
        [--seed 0] [--max-epochs 27] [--limit IMAGES] [--data-dir datasets/data]

`same` is Hyperband on the space of ours, `stock` on a space as guides show it, and `bayesian` the
Gaussian process on the space of ours, each trial with all epochs.

Each epoch becomes a line of FILE, the seconds since the start and its validation accuracy; the
last line is the test accuracy of `get_best_models()`. A trial that is under way when the
budget is spent is lost to `get_best_models()`.
"""

from __future__ import annotations

import time

START = time.monotonic()

import argparse
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_tuner
import numpy as np
from keras import layers

from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.dataset import load_dataset
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.search.methods.keras_tuner_space import declared, on_space
from tuner.space.parsing.parse import load_space
from tuner.space.split_settings import SplitSettings
from tuner.training.compiled import compiled_model, optimizer

SPACES = Path(__file__).resolve().parent.parent / "search_spaces"


class BudgetIsSpent(BaseException):
    """Ends the search; no `Exception`, since Keras Tuner catches those."""


class Clock(keras.callbacks.Callback):
    """Writes a line for each epoch, and ends the search when its time or epochs are spent."""

    def __init__(self, to: Path, seconds: float, epochs: float) -> None:
        """Take where the lines go, the seconds of the search and the number of lines."""
        super().__init__()
        self._to, self._seconds, self._epochs = to, seconds, epochs

    def __deepcopy__(self, memo: dict[int, Any]) -> Clock:
        """Keras Tuner copies callbacks for each trial; all that this one counts is in the file."""
        return type(self)(self._to, self._seconds, self._epochs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """A line."""
        line = {"s": round(time.monotonic() - START, 2), "val_accuracy": logs["val_accuracy"]}
        with self._to.open("a") as file:
            file.write(json.dumps(line) + "\n")
        if len(self._to.read_text().splitlines()) >= self._epochs:
            raise BudgetIsSpent

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """The time."""
        if time.monotonic() - START > self._seconds:
            raise BudgetIsSpent


class Same(keras_tuner.HyperModel):
    """The CNN family as a builder for Keras Tuner: the space, the network and the loss of ours."""

    def __init__(self, name: str, spec: ImageSpec) -> None:
        """Take the data set whose space it is."""
        super().__init__()
        self.space, self._spec = load_space(SPACES / f"{name}.yaml").space, spec

    def values(self, hp: Any) -> dict[str, Any]:
        """The complete setting."""
        return complete("cnn", on_space(self.space, hp.values))

    def build(self, hp: Any) -> keras.Model:
        """Build with Keras' layers for the random changes."""
        values = self.values(hp)
        network = compiled_model("cnn", values, self._spec, is_plain=True)
        model = keras.Sequential([layers.Input(self._spec.shape), *changes(values), network])
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=values["label_smoothing"])
        model.compile(optimizer(values), loss, metrics=["accuracy"])
        return model

    def fit(self, hp: Any, model: keras.Model, *arrays: Any, **options: Any) -> Any:
        """Fit with the setting's batch size."""
        return model.fit(*arrays, batch_size=self.values(hp)["batch_size"], **options)


def changes(values: dict[str, Any]) -> list[keras.layers.Layer]:
    """The random changes of the training images that a setting asks for."""
    found: list[keras.layers.Layer] = []
    if values["flip"]:
        found.append(layers.RandomFlip("horizontal"))
    if values["shift"]:
        found.append(layers.RandomTranslation(values["shift"], values["shift"]))
    if values["rotation"]:
        found.append(layers.RandomRotation(values["rotation"] / 360))
    if values["random_erasing"]:
        found.append(layers.RandomErasing(values["random_erasing"]))
    return found


def stock(shape: tuple[int, ...], n_classes: int) -> Any:
    """A builder as guides of Keras Tuner show it for images."""

    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([layers.Input(shape), layers.Rescaling(1 / 255)])
        for block in range(hp.Int("conv_blocks", 2, 4)):
            filters = hp.Int(f"filters_{block}", 32, 128, step=32)
            size = hp.Choice(f"kernel_size_{block}", [3, 5])
            model.add(layers.Conv2D(filters, size, padding="same", activation="relu"))
            if hp.Boolean("batch_norm"):
                model.add(layers.BatchNormalization())
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
        model.add(layers.Dense(hp.Int("units", 64, 512, step=64), activation="relu"))
        model.add(layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1)))
        model.add(layers.Dense(n_classes, activation="softmax"))
        rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
        adam = keras.optimizers.Adam(rate)
        model.compile(adam, "categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


def main() -> None:
    """Search until the time is up, then score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=["same", "stock", "bayesian"])
    parser.add_argument("name")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, default=math.inf)
    budget.add_argument("--epochs", type=int, default=math.inf)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-epochs", type=int, default=27)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--data-dir", type=Path, default=Path("datasets/data"))
    options = parser.parse_args()
    card = load_card(options.name, card_folders())
    split = SplitSettings(seed=options.seed, limit=options.limit)
    dataset = load_dataset(card, options.data_dir, split)
    one_hot = np.eye(dataset.spec.n_classes, dtype="float32")[dataset.images.labels]
    parts = {}
    for part in ("train", "validation", "test"):
        rows = np.sort(getattr(dataset.split, part))
        parts[part] = np.asarray(dataset.images.images[rows]), one_hot[rows]
    options.to.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found = tuner_of(options, dataset.spec, folder)
        arguments = {"validation_data": parts["validation"], "verbose": 0}
        arguments["callbacks"] = [Clock(options.to, options.minutes * 60, options.epochs)]
        # Hyperband decides itself how long a trial is.
        arguments |= {"epochs": options.max_epochs} if options.side == "bayesian" else {}
        try:
            found.search(*parts["train"], **arguments)
        except BudgetIsSpent:
            print("the budget is spent", flush=True)
        # Where no trial is complete, Keras Tuner offers one that it has no weights of.
        if not any(trial.status == "COMPLETED" for trial in found.oracle.trials.values()):
            sys.exit("no trial was complete when the budget was spent")
        (best,) = found.get_best_models(1)
        scores = best.evaluate(*parts["test"], batch_size=256, verbose=0, return_dict=True)
    with options.to.open("a") as file:
        file.write(json.dumps({"test_accuracy": scores["accuracy"]}) + "\n")


def tuner_of(options: argparse.Namespace, spec: ImageSpec, folder: str) -> keras_tuner.Tuner:
    """Keras Tuner's Hyperband or Gaussian process on the side's space."""
    # Keras Tuner takes seed 0 for none.
    settings = {"objective": "val_accuracy", "seed": options.seed + 1, "directory": folder}
    # More of both than any budget here: what ends the search is the budget.
    rungs = {"max_epochs": options.max_epochs, "factor": 3, "hyperband_iterations": 100}
    if options.side == "stock":
        return keras_tuner.Hyperband(stock(spec.shape, spec.n_classes), **rungs, **settings)
    same = Same(options.name, spec)
    settings["hyperparameters"] = declared(same.space, steps=True)
    if options.side == "bayesian":
        return keras_tuner.BayesianOptimization(same, max_trials=10_000, **settings)
    return keras_tuner.Hyperband(same, **rungs, **settings)


if __name__ == "__main__":
    main()
