"""What a run was made with and on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tuner
from tuner.backend import environment
from tuner.execution.execution_options import EXECUTORS

_PACKAGES = ("tensorflow", "jax", "keras", "keras-tuner", "numpy", "scikit-learn", "pillow")


def versions() -> dict[str, str]:
    """Version of each installed package that decides what a run computes."""
    found = {"tuner": tuner.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def hardware(executor: str, n_workers: int) -> dict[str, str]:
    """Processor, GPUs, workers and settings that change numbers; loads the framework.

    GPUs are those of this machine; what is made of theirs, nodes of a Ray cluster decide for
    themselves.
    """
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        **_accelerator(executor),
        "executor": executor,
        "workers": str(n_workers),
        # Trainings: one thread each on a CPU, so that the executor changes no result.
        "threads": "1",
        **environment.settings(),
    }


def _accelerator(executor: str) -> dict[str, str]:
    """What is known of GPUs and of what is made of them; of other backends than two, nothing."""
    import keras

    from tuner.backend.active import backend, policy

    if keras.backend.backend() not in ("tensorflow", "jax"):
        return {"gpu": "unknown", "acceleration": "unknown"}
    return {
        "gpu": ", ".join(sorted({gpu.name for gpu in backend.gpus()})) or "none",
        "acceleration": "as each node decides" if EXECUTORS[executor].is_remote else str(policy()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        "unknown",
    )
