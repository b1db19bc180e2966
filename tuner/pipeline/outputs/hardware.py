"""What a run was made on."""

from __future__ import annotations

import platform
from dataclasses import replace

from tuner.backend import environment
from tuner.backend.cpu import processor
from tuner.execution.execution_options import EXECUTORS
from tuner.space.definition import Precision

_AS_NODES_DECIDE = "as each node decides"


def hardware(executor: str, n_workers: int, precision: Precision | None) -> dict[str, str]:
    """Processor, GPUs, workers and settings that change numbers; loads the framework.

    GPUs are those of this machine; what is made of theirs, nodes of a Ray cluster decide for
    themselves.

    Args:
        executor: One of `EXECUTORS`.
        n_workers: Trainings at a time.
        precision: In which trainings computed; None for what is fast on the device that trained.
    """
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        **_accelerator(executor, precision),
        "executor": executor,
        "workers": str(n_workers),
        # Trainings: one thread each on a CPU, so that the executor changes no result.
        "threads": "1",
        **environment.settings(),
    }


def _accelerator(executor: str, precision: Precision | None) -> dict[str, str]:
    """What is known of GPUs and of what is made of them; of other backends than two, nothing."""
    import keras

    from tuner.backend.active import backend, policy

    if keras.backend.backend() not in ("tensorflow", "jax"):
        return {"gpu": "unknown", "acceleration": "unknown", "precision": precision or "unknown"}
    is_remote = EXECUTORS[executor].is_remote
    used = replace(policy(), precision=precision or policy().precision)
    return {
        "gpu": ", ".join(sorted({gpu.name for gpu in backend.gpus()})) or "none",
        "acceleration": _AS_NODES_DECIDE if is_remote else str(used),
        "precision": precision or (_AS_NODES_DECIDE if is_remote else used.precision),
    }
