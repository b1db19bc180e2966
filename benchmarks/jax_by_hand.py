"""Images per second of our training step on JAX against one that is written by hand in JAX.

    KERAS_BACKEND=jax python -m benchmarks.jax_by_hand [--batch 64 512] [--steps 50] [--rounds 5]
    [--precision float32 mixed_bfloat16]

The network is the one of training_throughput.py. By hand means: `jax.lax` convolutions and pooling,
BatchNorm of the batch, Adam, one jitted step with donated buffers, images in the device's memory.
Both take turns in one process; the median of the ratios is what to quote. It runs on whatever
device JAX finds, and prints which.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from tuner.backend import environment

environment.prepare()

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.training_throughput import SPEC, VALUES
from tuner.backend.active import backend, prepare_devices
from tuner.space.definition import Precision
from tuner.training.compiled import compiled_model

Weights = dict[str, jax.Array]

_BLOCKS = ((1, 32), (32, 64), (64, 128))
_SHAPES: dict[str, tuple[int, ...]] = {
    **{f"kernel{i}": (3, 3, *filters) for i, filters in enumerate(_BLOCKS)},
    **{f"scale{i}": (after,) for i, (_, after) in enumerate(_BLOCKS)},
    **{f"shift{i}": (after,) for i, (_, after) in enumerate(_BLOCKS)},
    "dense": (6 * 6 * 128, 128),
    "dense_bias": (128,),
    "last": (128, SPEC.n_classes),
    "last_bias": (SPEC.n_classes,),
}


def by_hand(precision: Precision, batch: int) -> Callable[[], Any]:
    """One training step, written in JAX."""
    dtype = jnp.float32 if precision == "float32" else jnp.bfloat16
    key = jax.random.key(0)
    weights = {
        name: jnp.ones(shape)
        if name.startswith("scale")
        else 0.05 * jax.random.normal(jax.random.fold_in(key, i), shape) * (len(shape) > 1)
        for i, (name, shape) in enumerate(_SHAPES.items())
    }
    state: Any = (
        weights,
        *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)),
        jnp.zeros(()),
    )
    images, targets = _batch(batch)

    def loss_of(weights: Weights, x: jax.Array, y: jax.Array, drop: jax.Array) -> jax.Array:
        h = (x.astype(jnp.float32) / 255).astype(dtype)
        for i in range(len(_BLOCKS)):
            h = jax.lax.conv_general_dilated(
                h,
                weights[f"kernel{i}"].astype(dtype),
                (1, 1),
                "SAME",
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
            )
            wide = h.astype(jnp.float32)
            mean, variance = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
            normed = (wide - mean) * jax.lax.rsqrt(variance + 1e-3) * weights[f"scale{i}"]
            h = jax.nn.relu(normed + weights[f"shift{i}"]).astype(dtype)
            h = jax.lax.reduce_window(h, -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        h = h.reshape(len(h), -1) * drop.astype(dtype) / 0.75
        h = jax.nn.relu(h @ weights["dense"].astype(dtype) + weights["dense_bias"].astype(dtype))
        logits = h.astype(jnp.float32) @ weights["last"] + weights["last_bias"]
        return -(y * jax.nn.log_softmax(logits)).sum(-1).mean()

    def step(state: Any, x: jax.Array, y: jax.Array) -> tuple[Any, jax.Array]:
        weights, first, second, n = state
        drop = jax.random.bernoulli(
            jax.random.fold_in(key, n.astype(jnp.int32)), 0.75, (len(x), 4608)
        )
        loss, gradients = jax.value_and_grad(loss_of)(weights, x, y, drop)
        n = n + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**n) / (1 - 0.9**n)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second
        )
        return (weights, first, second, n), loss

    jitted = jax.jit(step, donate_argnums=0)
    on_device = jnp.asarray(images), jnp.asarray(targets)
    held = [state]

    def run() -> Any:
        held[0], loss = jitted(held[0], *on_device)
        return loss

    return run


def ours(precision: Precision, batch: int) -> Callable[[], Any]:
    """One training step of ours."""
    images, targets = _batch(batch)
    model = compiled_model("cnn", VALUES, SPEC, precision=precision)
    step = backend.steps(model, (images[:1], targets[:1])).train
    return lambda: step(images, targets)["loss"]


def _batch(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, *SPEC.shape), dtype=np.uint8)
    return images, np.eye(SPEC.n_classes, dtype="float32")[rng.integers(0, SPEC.n_classes, n)]


def images_per_s(run: Callable[[], Any], batch: int, n_steps: int) -> float:
    """Speed of some steps, the last of which is waited for."""
    start = time.perf_counter()
    for _ in range(n_steps):
        loss = run()
    float(loss)
    return batch * n_steps / (time.perf_counter() - start)


def main() -> None:
    """Time both in turn, for each size of a batch and each precision."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", nargs="+", default=["float32", "mixed_bfloat16"])
    arguments = parser.parse_args()
    prepare_devices(1)
    print(f"device: {jax.devices()[0].device_kind}")
    for precision in arguments.precision:
        for batch in arguments.batch:
            ways = {"ours": ours(precision, batch), "by hand": by_hand(precision, batch)}
            for run in ways.values():
                images_per_s(run, batch, 2)
            rounds = [
                {name: images_per_s(run, batch, arguments.steps) for name, run in ways.items()}
                for _ in range(arguments.rounds)
            ]
            ratio = statistics.median(found["ours"] / found["by hand"] for found in rounds)
            best = {name: max(found[name] for found in rounds) for name in ways}
            print(
                f"{precision}, batch {batch}: ours {best['ours']:,.0f}, by hand"
                f" {best['by hand']:,.0f} images/s at best; ours / by hand, median {ratio:.2f}"
            )


if __name__ == "__main__":
    main()
