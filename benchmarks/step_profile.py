#!/usr/bin/env python3
"""Where the time of a training step goes, one thread: each part alone, and what bounds the step.

    python benchmarks/step_profile.py [--seconds 1.0] [--rounds 5] [--precision float32]

The network is that of `training_throughput.py`: three blocks of convolution, BatchNormalization,
pooling and ReLU with 32, 64 and 128 filters on 48x48x1, then Dense 128, batch 64, Adam. Its
convolutions and matrix products, forward and backward, are the bound: no step with these kernels is
shorter. What the step takes beyond is normalisation, pooling, activation, the optimizer, the
metrics, the input, and TensorFlow's and Python's own work between the operations.

Each figure is the median of some rounds, in milliseconds of the processor, one row after another: a
machine that changes its speed distorts the shares. The whole less its parts may be negative: alone,
a part makes the gradient that comes to it, and nothing is fused with its neighbours. The first line
is what a new architecture costs in each worker: seconds to trace the step, its operations, and what
its first call takes longer than others. The last line sets a whole epoch, validation included,
against its training steps alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from training_throughput import BATCH, SPEC, VALUES

from tuner.backend import cpu, environment

environment.prepare()

import keras
import numpy as np
import tensorflow as tf

from tuner.backend.active import backend, n_together, prepare_devices
from tuner.training.compiled import compiled_model

# Side, and channels before and after, of each convolution.
CONVOLUTIONS = ((48, 1, 32), (24, 32, 64), (12, 64, 128))
DENSE = ((6 * 6 * 128, 128), (128, 7))
# Validation images per training image.
VALIDATION_SHARE = 0.1

Operation = Callable[[], object]


def main() -> None:
    """Print the parts, the bound and the whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="mixed_bfloat16" if cpu.has_bfloat16_units() else "float32",
    )
    options = parser.parse_args()
    prepare_devices(1)
    dtype = "bfloat16" if options.precision == "mixed_bfloat16" else "float32"
    model = compiled_model("cnn", VALUES, SPEC, precision=options.precision)
    check(model)
    steps = Steps(model)
    print(steps.first())
    groups: dict[str, list[Operation]] = {
        "convolutions": convolutions(dtype),
        "matrix products": products(dtype),
        "normalisation": normalisation(dtype),
        "pooling": [alone(lambda y: tf.nn.max_pool2d(y, 2, 2, "VALID"), y) for y in maps(dtype)],
        "activation": [alone(tf.nn.relu, y[:, ::2, ::2]) for y in maps(dtype)],
        "optimizer": [optimizer(model)],
        "loss and metrics": [loss_and_metrics(model)],
    }
    parts = {name: measured(group, options) for name, group in groups.items()}
    whole, epoch = measured([steps.train], options), measured([steps.epoch], options)
    bound = parts["convolutions"] + parts["matrix products"]
    print(f"a step of {BATCH} images in {options.precision}: {whole:.1f} ms")
    for name, taken in parts.items():
        print(f"  {name:18} {taken:6.1f} ms  {taken / whole:5.0%}")
    print(f"  {'whole less parts':18} {whole - sum(parts.values()):6.1f} ms")
    print(
        f"bound by convolutions and products: {bound:.1f} ms, {1e3 * BATCH / bound:.0f} images/s;"
        f" the step comes to {bound / whole:.0%} of it with {1e3 * BATCH / whole:.0f} images/s"
    )
    print(
        f"validation of {VALIDATION_SHARE:.0%} as many images makes an epoch"
        f" {epoch / whole / steps.n - 1:.0%} longer"
    )


def check(model: keras.Model) -> None:
    """Stop where the operations timed alone are not those of the network."""
    kernels = [v.shape for v in model.trainable_variables if v.name == "kernel"]
    wanted = [(3, 3, before, after) for _, before, after in CONVOLUTIONS] + list(DENSE)
    if kernels != wanted:
        raise SystemExit(
            f"the network has the kernels {kernels}; CONVOLUTIONS and DENSE say {wanted}"
        )


class Steps:
    """The model's own steps, as an epoch makes them.

    Attributes:
        n: Training steps of an epoch.
    """

    n = 20

    def __init__(self, model: keras.Model) -> None:
        """Trace them."""
        rng = np.random.default_rng(0)
        self._images = rng.integers(0, 256, (self.n * BATCH, 48, 48, 1), dtype=np.uint8)
        self._targets = np.eye(7, dtype="float32")[rng.integers(0, 7, len(self._images))]
        self._steps = backend.steps(model, (self._images[:1], self._targets[:1]))
        self._together = n_together(model)

    def first(self) -> str:
        """Trace the training step and call it for the first time."""
        begin = time.process_time()
        graph = self._steps.train.get_concrete_function().graph  # type: ignore[attr-defined]
        traced = time.process_time()
        self.train()
        called = time.process_time()
        self.train()
        return (
            f"the training step: traced in {traced - begin:.2f} s, {len(graph.get_operations()):,}"
            f" operations; its first call takes {2 * called - traced - time.process_time():.2f} s"
            " longer than the second"
        )

    def train(self) -> object:
        """One training step."""
        return self._steps.train(self._images[:BATCH], self._targets[:BATCH])

    def epoch(self) -> float:
        """Training steps, and validation of a tenth of the images."""
        for begin in range(0, len(self._images), BATCH):
            part = slice(begin, begin + BATCH)
            self._steps.train(self._images[part], self._targets[part])
        n_validation = int(VALIDATION_SHARE * len(self._images))
        found: Mapping[str, Any] = {}
        for begin in range(0, n_validation, self._together):
            part = slice(begin, min(begin + self._together, n_validation))
            found = self._steps.test(self._images[part], self._targets[part])
        return float(found["loss"])


def measured(parts: list[Operation], options: argparse.Namespace) -> float:
    """Milliseconds of the processor that all of them take, one call of each."""
    total = 0.0
    for part in parts:
        for _ in range(3):
            part()
        total += statistics.median(
            milliseconds(part, options.seconds / len(parts)) for _ in range(options.rounds)
        )
    return total


def milliseconds(part: Operation, seconds: float) -> float:
    """Of the processor, for each call."""
    begin, n = time.process_time(), 0
    while not n or time.process_time() - begin < seconds:
        part()
        n += 1
    return 1e3 * (time.process_time() - begin) / n


def random(shape: tuple[int, ...], dtype: str) -> tf.Tensor:
    """Numbers from 0 to 1."""
    return tf.cast(np.random.default_rng(0).random(shape, dtype="float32"), dtype)


def maps(dtype: str) -> list[tf.Tensor]:
    """What each convolution puts out."""
    return [random((BATCH, side, side, after), dtype) for side, _, after in CONVOLUTIONS]


def convolutions(dtype: str) -> list[Operation]:
    """Forward, and backward by weights and inputs; nothing asks for the gradient of the images."""
    found: list[Operation] = []
    for (side, before, after), y in zip(CONVOLUTIONS, maps(dtype), strict=True):
        x, w = random((BATCH, side, side, before), dtype), random((3, 3, before, after), dtype)
        common = {"strides": [1] * 4, "padding": "SAME"}
        found.append(graph(lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"), x, w))
        sizes = {"filter_sizes": w.shape.as_list(), "input_sizes": x.shape.as_list()}
        found.append(
            graph(
                lambda x, y, sizes=sizes, common=common: tf.raw_ops.Conv2DBackpropFilter(
                    input=x, filter_sizes=sizes["filter_sizes"], out_backprop=y, **common
                ),
                x,
                y,
            )
        )
        if before > 1:
            found.append(
                graph(
                    lambda w, y, sizes=sizes, common=common: tf.raw_ops.Conv2DBackpropInput(
                        input_sizes=sizes["input_sizes"], filter=w, out_backprop=y, **common
                    ),
                    w,
                    y,
                )
            )
    return found


def products(dtype: str) -> list[Operation]:
    """Of the dense layers, forward and backward."""
    found: list[Operation] = []
    for before, after in DENSE:
        x, w, y = (random(s, dtype) for s in ((BATCH, before), (before, after), (BATCH, after)))
        found.append(graph(tf.matmul, x, w))
        found.append(graph(lambda x, y: tf.matmul(x, y, transpose_a=True), x, y))
        found.append(graph(lambda y, w: tf.matmul(y, w, transpose_b=True), y, w))
    return found


def normalisation(dtype: str) -> list[Operation]:
    """The fused kernel, forward and backward; its statistics are float32."""
    found: list[Operation] = []
    for y in maps(dtype):
        ones, empty = tf.ones([y.shape[-1]]), tf.zeros([0])

        def fused(y: tf.Tensor, ones: tf.Tensor = ones, empty: tf.Tensor = empty) -> tf.Tensor:
            return tf.raw_ops.FusedBatchNormV3(
                x=y, scale=ones, offset=ones, mean=empty, variance=empty, is_training=True
            )[0]

        found.append(alone(fused, y))
    return found


def optimizer(model: keras.Model) -> Operation:
    """One update of all weights."""
    gradients = [tf.zeros_like(variable.value) for variable in model.trainable_variables]
    model.optimizer.build(model.trainable_variables)
    return graph(lambda *given: model.optimizer.apply(list(given)), *gradients)


def loss_and_metrics(model: keras.Model) -> Operation:
    """Loss with its gradient, and the metrics as the step brings them up to date."""
    y = tf.one_hot(np.arange(BATCH) % 7, 7)

    def both(logits: tf.Tensor) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            outputs = tf.nn.softmax(logits)
            loss = model.compute_loss(y=y, y_pred=outputs)
        return tape.gradient(loss, logits), *model.compute_metrics(None, y, outputs).values()

    return graph(both, random((BATCH, 7), "float32"))


def alone(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> Operation:
    """An operation with its gradient, in one graph: TensorFlow chooses kernels for the pair."""

    def both(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    return graph(both, x)


def graph(function: Callable[..., Any], *arrays: tf.Tensor) -> Operation:
    """A traced function with its arguments."""
    traced = tf.function(function, autograph=False)
    return lambda: traced(*arrays)


if __name__ == "__main__":
    main()
