#!/usr/bin/env python3
"""An epoch of a small network on JAX against TensorFlow, one thread each, alternated.

    python benchmarks/jax_vs_tensorflow.py [--pairs 5] [--side 48] [--steps 16]

The network is that of `training_throughput.py` for images of 48x48x1; smaller sides get fewer
blocks. Each backend has a process of its own, and they take turns. `first` is the first epoch, with
all that is traced and compiled; an epoch ends with a smaller batch, as most do. The median of the
ratios is what to quote.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

BATCH = 64


def serve(side: int, steps: int) -> None:
    """Train an epoch for each line that comes in, and print its seconds."""
    from tuner.backend import environment

    environment.prepare()
    import numpy as np

    from tuner.backend.active import backend, prepare_devices
    from tuner.records.image import ImageSpec
    from tuner.training.compiled import compiled_model

    prepare_devices(1)
    spec = ImageSpec(
        height=side, width=side, channels=1, class_names=tuple("abcdefg"), mean=(0.0,), std=(1.0,)
    )
    values = {
        "conv_blocks": 3 if side >= 48 else 2,
        "filters_0": 32,
        "filters_1": 64,
        "filters_2": 128,
        "dropout": 0.25,
    }
    rng = np.random.default_rng(0)
    n = steps * BATCH - BATCH // 2
    images = rng.integers(0, 256, (n, *spec.shape), dtype=np.uint8)
    targets = np.eye(7, dtype="float32")[rng.integers(0, 7, n)]
    functions = None
    for _ in sys.stdin:
        start = time.perf_counter()
        if functions is None:
            functions = backend.steps(
                compiled_model("cnn", values, spec), (images[:1], targets[:1])
            )
        for i in range(0, n, BATCH):
            metrics = functions.train(images[i : i + BATCH], targets[i : i + BATCH])
        float(metrics["loss"])
        print(time.perf_counter() - start, flush=True)


def start(backend: str, arguments: argparse.Namespace) -> subprocess.Popen[str]:
    """A process that serves on a backend."""
    options = ["--serve", "--side", str(arguments.side), "--steps", str(arguments.steps)]
    return subprocess.Popen(
        [sys.executable, __file__, *options],
        env={**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def epoch_s(process: subprocess.Popen[str]) -> float:
    """Seconds of one epoch."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("epoch\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main() -> None:
    """Time the backends in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--side", type=int, default=48)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.side, arguments.steps)
        return
    processes = [start(backend, arguments) for backend in ("jax", "tensorflow")]
    first = [epoch_s(process) for process in processes]
    print(f"first: jax {first[0]:.2f} s, tensorflow {first[1]:.2f} s")
    ratios = []
    for pair in range(arguments.pairs):
        jax_s, tensorflow_s = (epoch_s(process) for process in processes)
        ratios.append(jax_s / tensorflow_s)
        print(f"pair {pair + 1}: jax {jax_s:.3f} s, tensorflow {tensorflow_s:.3f} s")
    print(
        f"jax / tensorflow: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to"
        f" {max(ratios):.2f})"
    )
    for process in processes:
        process.communicate()


if __name__ == "__main__":
    main()
