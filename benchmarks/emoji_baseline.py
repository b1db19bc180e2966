#!/usr/bin/env python3
"""The emoji project's claim: all 80 images learned to 99.9 % before epoch 15, then a stop.

    python benchmarks/emoji_baseline.py [--data-dir datasets/data] [--seeds 5]

Builder, values and schedule come from datasets/emoji_happy_sad.yaml, training from the package.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tuner.backend import environment

environment.prepare()

from tuner.backend.active import prepare_devices
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.dataset import load_dataset
from tuner.data.splits.fold import Fold
from tuner.records.training import EarlyStopping, TrainTask
from tuner.space.split_settings import SplitSettings
from tuner.training.data import TrainingData
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels


def main() -> None:
    """Train once per seed and print where each stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("datasets/data"))
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    prepare_devices(1)
    card = load_card("emoji_happy_sad", card_folders())
    dataset = load_dataset(card, arguments.data_dir, SplitSettings(seed=0))
    everything = np.arange(len(dataset.images.labels))
    data = TrainingData(
        inputs=dataset.images.images,
        labels=dataset.images.labels,
        folds=(Fold(train=everything, validation=everything[:0]),),
        spec=dataset.spec,
    )
    published = card.baseline.published
    rule = EarlyStopping(
        monitor="loss",
        direction="min",
        patience=None,
        stop_metric=published.stop_metric,
        stop_value=published.stop_value,
    )
    reached = 0
    for seed in range(arguments.seeds):
        task = TrainTask(
            task_id=f"seed-{seed}",
            model=card.baseline.model,
            values=card.baseline.values,
            seed=seed,
            first_epoch=1,
            last_epoch=published.epochs,
            early_stopping=rule,
        )
        result = run_task(task, data, Hooks(on_epoch=lambda task, epoch: None), PreparedModels())
        if result.failure:
            raise SystemExit(f"seed {seed} failed: {result.failure.reason}")
        accuracy = result.epochs[-1].metrics["accuracy"]
        stopped = accuracy >= published.stop_value and len(result.epochs) < published.epochs
        reached += stopped
        print(
            f"seed {seed}: training accuracy {accuracy:.4f} after {len(result.epochs)} epochs",
            flush=True,
        )
    print(
        f"{reached} of {arguments.seeds} seeds stopped at {published.stop_value} before epoch"
        f" {published.epochs}"
    )


if __name__ == "__main__":
    main()
