"""JAX's own ways where Keras' batch functions are slow; what is not here is as in `neutral.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import jax
import keras
import numpy as np

from tuner.backend import image_changes, neutral
from tuner.backend.neutral import (
    RUN_TIME_VALUES,
    Adam,
    AdamW,
    BatchNormalization,
    Dropout,
    crossentropy,
    dials,
    graphs_kept,
    predictor,
    run_traced,
)
from tuner.backend.policy import Gpu
from tuner.backend.steps import Steps, example_outputs

__all__ = [
    "RUN_TIME_VALUES",
    "Adam",
    "AdamW",
    "BatchNormalization",
    "Dropout",
    "augment",
    "crossentropy",
    "dials",
    "gpus",
    "gradient",
    "graphs_kept",
    "predictor",
    "prepare_devices",
    "run_traced",
    "steps",
]

State = tuple[list[Any], ...]


def prepare_devices(n_threads: int) -> None:
    """Let memory of a GPU grow as needed, and set the number of threads; JAX reads both once, at its first operation.

    Args:
        n_threads: Threads for all operations together.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # No option of JAX's; XLA's CPU client reads it (xla/pjrt/cpu/cpu_client.cc,
    # DefaultThreadPoolSize).
    os.environ["NPROC"] = str(n_threads)


def gpus() -> list[Gpu]:
    """The GPUs that this process sees."""
    found = [device for device in jax.devices() if device.platform == "gpu"]
    return [Gpu(name=device.device_kind, capability=_capability(device)) for device in found]


def _capability(device: Any) -> tuple[int, int] | None:
    """NVIDIA's, as in `7.5`; other makers name an architecture in its place."""
    major, _, minor = str(getattr(device, "compute_capability", "")).partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def augment(images: np.ndarray, parameters: Mapping[str, np.ndarray]) -> Any:
    """Images changed in the ways of `image_changes.CHANGES` that there are parameters for, uint8 as before."""
    changed: Any = images
    for name in image_changes.CHANGES:
        if name in parameters:
            changed = _change(name)(changed, parameters[name])
    return changed


@cache
def _change(name: str) -> Callable[[Any, Any], Any]:
    return jax.jit(image_changes.CHANGES[name])


def steps(model: keras.Model, example: tuple[np.ndarray, ...]) -> Steps:
    """Compile the model's own `train_step` and `test_step`, for each size of a batch anew.

    An epoch has two sizes, that of its last batch being another. To fill that up to the usual one
    would save the second compilation, and change what BatchNormalization and the metrics see.

    Args:
        model: Compiled, with `jit_compile` or for Keras' own batch functions without; its optimizer
            and metrics are built here, since they are part of what a step takes.
        example: What a training step will take, of at least one row.
    """
    if not model.jit_compile:
        return neutral.steps(model, example)
    if model.optimizer is not None:
        model.optimizer.build(model.trainable_variables)
    model.compute_metrics(example[0], example[1], example_outputs(model, example[0]))
    model.reset_metrics()
    weights = model.trainable_variables, model.non_trainable_variables
    optimizer = model.optimizer.variables if model.optimizer is not None else []

    # The old values' memory is used again for the new ones.
    @partial(jax.jit, donate_argnums=0)
    def train(state: State, x: Any, *rest: Any) -> tuple[Mapping[str, Any], State]:
        return model.train_step(state, (x.astype("float32"), *rest))

    @partial(jax.jit, donate_argnums=0)
    def test(state: State, x: Any, y: Any) -> tuple[Mapping[str, Any], State]:
        return model.test_step(state, (x.astype("float32"), y))

    return Steps(
        train=_on_variables(train, (*weights, optimizer, model.metrics_variables)),
        test=_on_variables(test, (*weights, model.metrics_variables)),
    )


def _on_variables(
    function: Callable[..., tuple[Mapping[str, Any], State]],
    variables: Sequence[Sequence[keras.Variable]],
) -> Callable[..., Mapping[str, Any]]:
    """A function of state and batch as one of the batch alone; the state comes from variables, and goes back there.

    Keras' `train_on_batch` does the same, but looks for all variables of the model each time and
    waits for the metrics.
    """

    def step(*batch: Any) -> Mapping[str, Any]:
        metrics, state = function(tuple([v.value for v in group] for group in variables), *batch)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return metrics

    return step


def gradient(function: Callable[[Any], Any], at: np.ndarray) -> np.ndarray | None:
    """The gradient of a scalar function of one array at a point, in the array's shape; variables are constants."""
    return np.asarray(jax.grad(function)(at))
