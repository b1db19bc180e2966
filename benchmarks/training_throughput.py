#!/usr/bin/env python3
"""Images per second of a training step, one thread: ours against plain Keras, same network.

Ours is our network with our step.

    python benchmarks/training_throughput.py [--pairs 7] [--steps 32] [--precision float32]

The network is the one of a fixed-cost search: Conv-BN-ReLU-Pool with 32, 64 and 128 filters on
48x48x1, Flatten, Dense 128, batch 64, Adam. Plain Keras is what a person writes by hand: Keras' own
layers and `fit`. The ways are timed in turn, in one run, so that a machine that changes its speed
changes it for all:

  ours      fused BatchNormalization, pooling before ReLU, our own loop over one traced step
  layers    the same loop with Keras' own BatchNormalization and ReLU before pooling
  fit       `model.fit` of the plain network
  torch     `torch_by_hand.py`, where PyTorch is installed: in the precision of ours

Ours computes in bfloat16 where the CPU has units for it, unless `--precision` says otherwise; plain
Keras always in float32.

The median of the ratios is what to quote. Where TensorFlow leaves oneDNN off by itself (CPUs
without AVX-512 VNNI), a person's program lacks that lever too, which this script does not show: all
three ways run with the same setting.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from tuner.backend import cpu, environment

environment.prepare()

import keras
import numpy as np
from keras import layers

from tuner.backend.active import backend, prepare_devices
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.space.definition import Precision
from tuner.training.compiled import compiled_model

BATCH = 64
SPEC = ImageSpec(
    height=48, width=48, channels=1, class_names=tuple("abcdefg"), mean=(0.0,), std=(1.0,)
)
VALUES = complete(
    "cnn", {"conv_blocks": 3, "filters_0": 32, "filters_1": 64, "filters_2": 128, "dropout": 0.25}
)


def plain_model() -> keras.Model:
    """The network as a person writes it with Keras' own layers."""
    model = keras.Sequential([keras.Input((48, 48, 1)), layers.Rescaling(1 / 255)])
    for filters in (32, 64, 128):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dropout(0.25))
    model.add(layers.Dense(7, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def own_loop(model: keras.Model, images: np.ndarray, targets: np.ndarray) -> Callable[[], None]:
    """One epoch of our loop."""
    train = backend.steps(model, (images[:1], targets[:1])).train

    def epoch() -> None:
        for i in range(0, len(images), BATCH):
            metrics = train(images[i : i + BATCH], targets[i : i + BATCH])
        float(metrics["loss"])

    return epoch


@contextmanager
def torch_loop(n_steps: int, precision: Precision) -> Iterator[Callable[[], float]]:
    """Seconds of an epoch of `torch_by_hand.py`, which waits in a process of its own."""
    script = Path(__file__).with_name("torch_by_hand.py")
    with subprocess.Popen(
        [sys.executable, str(script), "--steps", str(n_steps), "--precision", precision],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        asked, told = other.stdin, other.stdout
        assert asked is not None and told is not None

        def epoch() -> float:
            asked.write("\n")
            asked.flush()
            return float(told.readline())

        yield epoch


def timed(epoch: Callable[[], object]) -> Callable[[], float]:
    """Seconds of an epoch."""

    def seconds() -> float:
        start = time.perf_counter()
        epoch()
        return time.perf_counter() - start

    return seconds


def main() -> None:
    """Time the ways in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="mixed_bfloat16" if cpu.has_bfloat16_units() else "float32",
        help="Of ours.",
    )
    arguments = parser.parse_args()
    prepare_devices(1)
    rng = np.random.default_rng(0)
    n = arguments.steps * BATCH
    images = rng.integers(0, 256, (n, 48, 48, 1), dtype=np.uint8)
    labels = rng.integers(0, 7, n)
    targets = np.eye(7, dtype="float32")[labels]
    by_hand, floats = plain_model(), images.astype("float32")
    own = compiled_model("cnn", VALUES, SPEC, precision=arguments.precision)
    ways: dict[str, Callable[[], float]] = {
        "ours": timed(own_loop(own, images, targets)),
        "layers": timed(own_loop(plain_model(), images, targets)),
        "fit": timed(lambda: by_hand.fit(floats, targets, batch_size=BATCH, verbose=0)),
    }
    print(f"ours computes in {arguments.precision}")
    with ExitStack() as stack:
        if find_spec("torch"):
            ways["torch"] = stack.enter_context(torch_loop(arguments.steps, arguments.precision))
        rates = compared(ways, n, arguments.pairs)
    for other in list(ways)[1:]:
        ratios = sorted(a / b for a, b in zip(rates["ours"], rates[other], strict=True))
        print(
            f"ours / {other}: median {statistics.median(ratios):.2f} ({ratios[0]:.2f} to"
            f" {ratios[-1]:.2f})"
        )


def compared(
    ways: Mapping[str, Callable[[], float]], n: int, n_pairs: int
) -> Mapping[str, list[float]]:
    """Images per second of each way, in turn, without the first epoch of each, which traces."""
    for seconds in ways.values():
        seconds()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for pair in range(n_pairs):
        for name, seconds in ways.items():
            rates[name].append(n / seconds())
        print(
            f"pair {pair + 1}: "
            + ", ".join(f"{name} {found[-1]:.0f} images/s" for name, found in rates.items())
        )
    return rates


if __name__ == "__main__":
    main()
