#!/usr/bin/env python3
"""What it saves to keep a frozen network's features: an epoch on them, and one without them.

An epoch on them trains the head alone; the other goes through the whole network.

    python benchmarks/feature_cache.py [--model efficientnet_lite2] [--input-size 260] [--images
    320] [--rounds 3]

Images are random; EfficientNet-Lite's ImageNet weights come with the installation, other networks'
are downloaded. One core. In turn: the features of all training images, as each epoch would need
them, and epochs of the head on those that are kept. An epoch without the cache is the sum of the
two.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from tuner.backend import environment
from tuner.data.splits.fold import Fold
from tuner.records.image import ImageSpec
from tuner.records.training import EpochMetrics, TrainTask
from tuner.training.data import TrainingData

N_EPOCHS = 10


def main() -> None:
    """Print both times of each round, and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="efficientnet_lite2")
    parser.add_argument("--input-size", type=int, default=260)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    environment.prepare()
    from tuner.backend.active import prepare_devices

    prepare_devices(1)
    values = {"weights": "imagenet", "input_size": options.input_size, "batch_size": 32}
    with tempfile.TemporaryDirectory() as folder:
        data = random_data(options.images, Path(folder))
        network_s(options.model, values, data)
        head_s(options.model, values, data)
        pairs = [
            (network_s(options.model, values, data), head_s(options.model, values, data))
            for _ in range(options.rounds)
        ]
    for number, (network, head) in enumerate(pairs, start=1):
        print(
            f"round {number}: through the network {network:.2f} s, the head on kept features"
            f" {1000 * head:.1f} ms"
        )
    ratios = [(network + head) / head for network, head in pairs]
    print(
        f"{options.images} images of {options.input_size} px, an epoch without / with the cache: ",
        end="",
    )
    print(f"median {statistics.median(ratios):.0f} ({min(ratios):.0f} to {max(ratios):.0f})")


def random_data(n: int, folder: Path) -> TrainingData:
    """Images of 100 pixels in two classes; none of them validates."""
    rng = np.random.default_rng(0)
    spec = ImageSpec(
        height=100,
        width=100,
        channels=3,
        class_names=("a", "b"),
        mean=(127.0,) * 3,
        std=(74.0,) * 3,
    )
    return TrainingData(
        inputs=rng.integers(0, 256, size=(n, 100, 100, 3), dtype=np.uint8),
        labels=rng.integers(2, size=n),
        folds=(Fold(train=np.arange(n), validation=np.arange(0)),),
        spec=spec,
        features=folder,
    )


def network_s(model: str, values: dict[str, object], data: TrainingData) -> float:
    """Seconds that the features of all training images take."""
    from tuner.training.transfer.extraction import features_of
    from tuner.training.transfer.features import BATCH

    started = time.perf_counter()
    for i in range(0, len(data.inputs), BATCH):
        features_of(data.inputs[i : i + BATCH], model, values, data.spec)
    return time.perf_counter() - started


def head_s(model: str, values: dict[str, object], data: TrainingData) -> float:
    """Seconds of an epoch on features that are there; the first of ten traces, and is left out."""
    from tuner.training.fit import run_task
    from tuner.training.hooks import Hooks
    from tuner.training.prepared import PreparedModels

    seconds: list[float] = []

    def on_epoch(task: TrainTask, epoch: EpochMetrics) -> None:
        seconds.append(epoch.duration_s)

    task = TrainTask(
        task_id="head", model=model, values=values, seed=0, first_epoch=1, last_epoch=N_EPOCHS
    )
    result = run_task(task, data, Hooks(on_epoch=on_epoch), PreparedModels())
    assert result.failure is None, result.failure
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
