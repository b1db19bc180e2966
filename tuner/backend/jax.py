"""JAX's own ways where Keras' batch functions are slow; all else is as in `NeutralBackend`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import jax
import keras
import numpy as np

from tuner.backend.image_changes import CHANGES
from tuner.backend.neutral import NeutralBackend
from tuner.backend.policy import Gpu
from tuner.backend.protocol import Backend
from tuner.backend.steps import Steps, example_outputs

JaxState = tuple[list[Any], ...]


class JaxBackend(NeutralBackend):
    """Compiled steps, changes of images and gradients; see `Backend`."""

    def prepare_devices(self, n_threads: int) -> None:
        """Set memory and threads; JAX reads both once, at its first operation."""
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        # No option of JAX's; XLA's CPU client reads it (xla/pjrt/cpu/cpu_client.cc,
        # DefaultThreadPoolSize).
        os.environ["NPROC"] = str(n_threads)

    def gpus(self) -> list[Gpu]:
        """JAX's devices."""
        found = [device for device in jax.devices() if device.platform == "gpu"]
        return [Gpu(name=device.device_kind, capability=_capability(device)) for device in found]

    def augment(self, images: np.ndarray, parameters: Mapping[str, np.ndarray]) -> Any:
        """Each change as one compiled program."""
        changed: Any = images
        for name in CHANGES:
            if name in parameters:
                changed = _change(name)(changed, parameters[name])
        return changed

    def steps(self, model: keras.Model, example: tuple[np.ndarray, ...]) -> Steps:
        """Compile the model's own `train_step` and `test_step`, for each size of a batch anew.

        An epoch has two sizes, that of its last batch being another. To fill that up to the usual
        one would save the second compilation, and change what BatchNormalization and the metrics
        see. A model that was compiled without `jit_compile` gets Keras' own batch functions.
        """
        return _compiled(model, example) if model.jit_compile else super().steps(model, example)

    def gradient(self, function: Callable[[Any], Any], at: np.ndarray) -> np.ndarray | None:
        """JAX's own."""
        return np.asarray(jax.grad(function)(at))


BACKEND: Backend = JaxBackend()


def _capability(device: Any) -> tuple[int, int] | None:
    """NVIDIA's, as in `7.5`; other makers name an architecture in its place."""
    major, _, minor = str(getattr(device, "compute_capability", "")).partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


@cache
def _change(name: str) -> Callable[[Any, Any], Any]:
    return jax.jit(CHANGES[name])


def _compiled(model: keras.Model, example: tuple[np.ndarray, ...]) -> Steps:
    """The steps; optimizer and metrics are built here, since they are part of what a step takes."""
    if model.optimizer is not None:
        model.optimizer.build(model.trainable_variables)
    model.compute_metrics(example[0], example[1], example_outputs(model, example[0]))
    model.reset_metrics()
    weights = model.trainable_variables, model.non_trainable_variables
    optimizer = model.optimizer.variables if model.optimizer is not None else []

    # The old values' memory is used again for the new ones.
    @partial(jax.jit, donate_argnums=0)
    def train(state: JaxState, x: Any, *rest: Any) -> tuple[Mapping[str, Any], JaxState]:
        return model.train_step(state, (x.astype("float32"), *rest))

    @partial(jax.jit, donate_argnums=0)
    def test(state: JaxState, x: Any, y: Any) -> tuple[Mapping[str, Any], JaxState]:
        return model.test_step(state, (x.astype("float32"), y))

    return Steps(
        train=_on_variables(train, (*weights, optimizer, model.metrics_variables)),
        test=_on_variables(test, (*weights, model.metrics_variables)),
    )


def _on_variables(
    function: Callable[..., tuple[Mapping[str, Any], JaxState]],
    variables: Sequence[Sequence[keras.Variable]],
) -> Callable[..., Mapping[str, Any]]:
    """A function of state and batch as one of the batch alone.

    The state comes from variables, and goes back there.

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
